// One request and its answer, as the connection's owner and the one who answers both see it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerWord } from '../../machines/answer.ts';

/** `absent`: ours by all accounts, and no honest copy is here. `none`: not about an object. */
export type CacheWord = AnswerWord | 'absent' | 'none';

export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** In its answer and in log lines. */
  readonly requestId: string;
  /** Why the node could not answer it as it should; null: it could. */
  fault: string | null;
  /** Headers that its answer has whatever it is: names and values in turns. */
  baseHeaders: readonly string[];
  /** Bytes of the body that the kernel has not taken yet. */
  bytesLeft: number;
  /** What was decided of the object asked for. */
  cache: CacheWord;
  /** By the clock of `performance.now()`; `answeredAt` 0: not yet. */
  readonly startedAt: number;
  answeredAt: number;
  /** Nothing is to be sent before this resolves; null: go on. */
  readonly hold: () => Promise<void> | null;
}

export type Answerer = (context: RequestContext) => void;
