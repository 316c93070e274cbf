// What is told of every command and every refused token: to the log in one line, to the audit log in full.
import type Koa from 'koa';
import type { CommandName } from '../../machines/commands.ts';
import type { NodeControl } from '../control/node-control.ts';
import type { Log } from './problems.ts';
import { type Moment, momentOf, type OperatorState } from './request-state.ts';

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
  /** Only where this entry stands for many refused tokens, which are not told of one by one. */
  readonly summary?: RefusalSummary;
}

/** A flood of refused tokens in a few numbers. */
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
 * audit log; refused tokens wait for nothing.
 */
export type Audit = (entry: AuditEntry) => Promise<void> | void;

/** What others say, in a length that nobody can make a nuisance of. */
const longestText = 300;

/** Koa middleware around everything else: by then the answer is known. */
export function auditing(log: Log, now: () => number, audit?: Audit): Koa.Middleware<OperatorState> {
  return async (ctx, next) => {
    const at = new Date(now()).toISOString();
    const from = ctx.socket.remoteAddress ?? null;
    await next();
    const { token, command = null, dryRun = false, input = null, problem, before = null, after = null } = ctx.state;
    const { method, status } = ctx;
    const { requestId = null } = ctx.state;
    // Without a command, or without an effect: no more than a read.
    if ((command === null || dryRun) && status !== 401) return;
    const { kind = null, sub = null, jti = null } = token ?? {};
    const who = { from, kind, sub: cut(sub), jti: cut(jti) };
    const detail = cut(problem?.message ?? null);
    // Anybody who can connect can have a token refused: that must not fill the log.
    if (status === 401) log.debug({ requestId, command, detail, from }, 'A request to the operator API was refused');
    else log.info({ requestId, status, detail, ...who }, `${command ?? method}: ${status}`);
    const told = audit?.({ at, requestId, ...who, method, command, input, status, detail, before, after });
    if (status !== 401) await told;
  };
}

/** A shutdown that was given by a signal, as an entry beside those of requests. */
export async function auditedSignal(signal: NodeJS.Signals, node: NodeControl, audit: Audit): Promise<void> {
  const at = new Date().toISOString();
  let before: Moment | null = null;
  const onTurn = (moment: Moment) => {
    before = moment;
  };
  const outcome = await node.command({ type: 'shutdown' }, { onTurn });
  const isDone = outcome.result === 'done';
  await audit({
    ...{
      at,
      requestId: null,
      from: null,
      kind: null,
      sub: null,
      jti: null,
      method: signal,
      command: 'shutdown',
      input: {},
    },
    ...{ status: isDone ? 200 : 409, detail: 'reason' in outcome ? outcome.reason : null },
    ...{ before, after: momentOf(isDone ? outcome.state : node.state) },
  });
}

const cut = (text: string | null): string | null =>
  text !== null && text.length > longestText ? `${text.slice(0, longestText)}…` : text;
