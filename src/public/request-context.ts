// One request and its response, shared by the listener that owns the connection and the API that answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerWord } from '../../machines/answer.ts';

/** `none`: not about an object. */
export type CacheWord = AnswerWord | 'none';

export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Appears in the response and in log lines. */
  readonly requestId: string;
  /** The error because of which the node failed to answer; null: none. */
  error: string | null;
  /** Headers of every response: alternating names and values. */
  baseHeaders: readonly string[];
  /** Bytes of the body that the kernel has not accepted yet. */
  bytesLeft: number;
  /** The decision about the requested object. */
  cache: CacheWord;
  /** By the clock of `performance.now()`; `answeredAt` 0: not answered yet. */
  readonly startedAt: number;
  answeredAt: number;
  /** Send nothing before this resolves; null: the gate is open. */
  readonly gate: () => Promise<void> | null;
}

export type Answerer = (context: RequestContext) => void;
