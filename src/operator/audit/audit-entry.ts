// An entry of the audit log: one command or refusal, or a summary of many refusals.
import type { CommandName } from '../../../machines/commands.ts';
import type { Moment } from '../http/request-state.ts';

/** Never holds a token or the secret. */
export interface AuditEntry {
  /** ISO 8601, when the request came. */
  readonly at: string;
  /** As in the answer's `X-Request-Id`; null or left out: it stands for many, or is of an older version. */
  readonly requestId?: string | null;
  /** Address of the client; null: its connection had gone. */
  readonly from: string | null;
  /** Of the token; null: it was refused, or not said. */
  readonly kind: 'access' | 'request' | null;
  readonly sub: string | null;
  readonly jti: string | null;
  /** The signal, where a shutdown was given by one. */
  readonly method: string;
  /** Null: a read. */
  readonly command: CommandName | null;
  /** The body, where it was found valid; whole, however long. */
  readonly input: unknown;
  readonly status: number;
  /** Of the problem; null: it was done. */
  readonly detail: string | null;
  /** Null: the command was not put to the machine. */
  readonly before: Moment | null;
  readonly after: Moment | null;
  /** Only where this entry stands for many refusals of one status, which are not told of one by one. */
  readonly summary?: RefusalSummary;
}

/** A flood of refusals in a few numbers. */
export interface RefusalSummary {
  readonly count: number;
  /** When the first and the last of them came, ISO 8601. */
  readonly since: string;
  readonly until: string;
  /** How many came from each address; those that asked most often. */
  readonly from: Readonly<Record<string, number>>;
  /** How many were refused for each reason; the most frequent ones. */
  readonly details: Readonly<Record<string, number>>;
}

/**
 * Must not throw or reject. The answer to a command waits for what it returns, so that whoever has an answer is in the
 * audit log; refused tokens, and what is summed up, wait for nothing.
 */
export type Audit = (entry: AuditEntry) => Promise<void> | void;
