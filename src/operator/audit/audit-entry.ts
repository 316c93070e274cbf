// An entry of the audit log: one command or refusal, or a summary of many refusals.
import type { CommandName } from '../../../machines/commands.ts';
import type { Moment } from '../http/request-state.ts';

/** Never holds a token or the secret. */
export interface AuditEntry {
  /** ISO 8601, when the request came. */
  readonly at: string;
  /** The `X-Request-Id` of the answer; null or absent: a summary, or written by an older version. */
  readonly requestId?: string | null;
  /** Address of the client; null: the connection was already closed. */
  readonly from: string | null;
  /** Kind of token; null: no valid token. */
  readonly kind: 'access' | 'request' | null;
  readonly sub: string | null;
  readonly jti: string | null;
  /** The HTTP method, or the signal that caused a shutdown. */
  readonly method: string;
  /** Null: a read. */
  readonly command: CommandName | null;
  /** The body, if it was valid; never truncated. */
  readonly input: unknown;
  readonly status: number;
  /** Detail of the problem; null: the command succeeded. */
  readonly detail: string | null;
  /** Null: the command did not reach the machine. */
  readonly before: Moment | null;
  readonly after: Moment | null;
  /** Present if this entry summarizes many refusals of one status. */
  readonly summary?: RefusalSummary;
}

/** Counts of a flood of refusals. */
export interface RefusalSummary {
  readonly count: number;
  /** Times of the first and the last refusal, ISO 8601. */
  readonly since: string;
  readonly until: string;
  /** Refusals by address; the most frequent addresses. */
  readonly from: Readonly<Record<string, number>>;
  /** Refusals by reason; the most frequent reasons. */
  readonly details: Readonly<Record<string, number>>;
}

/**
 * Must not throw or reject. A command is answered only after the returned promise, so that every answered command is in
 * the audit log; refused tokens and summarized refusals do not wait.
 */
export type Audit = (entry: AuditEntry) => Promise<void> | void;
