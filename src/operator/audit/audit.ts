// Records every command and every refusal: one line in the log, a full entry in the audit log.
import type Koa from 'koa';
import type { NodeControl } from '../../control/node-control.ts';
import type { Log } from '../http/problems.ts';
import { type Moment, momentOf, type OperatorState } from '../http/request-state.ts';
import type { Audit } from './audit-entry.ts';

/** Text of clients is truncated to bound the log. */
const longestText = 300;

/** Koa middleware, outside the handlers, so that the answer is known. */
export function auditing(log: Log, now: () => number, audit?: Audit): Koa.Middleware<OperatorState> {
  return async (ctx, next) => {
    const at = new Date(now()).toISOString();
    const from = ctx.socket.remoteAddress ?? null;
    await next();
    const { token, command = null, dryRun = false, input = null, problem, before = null, after = null } = ctx.state;
    const { method, status } = ctx;
    const { requestId = null } = ctx.state;
    // Reads and dry runs are not audited.
    if ((command === null || dryRun) && status !== 401) return;
    const { kind = null, sub = null, jti = null } = token ?? {};
    const who = { from, kind, sub: cut(sub), jti: cut(jti) };
    const detail = cut(problem?.message ?? null);
    // Anyone can cause these refusals: keep them out of the default log.
    if (status === 401 || status === 403)
      log.debug({ requestId, command, detail, from }, 'A request to the operator API was refused');
    else log.info({ requestId, status, detail, ...who }, `${command ?? method}: ${status}`);
    const written = audit?.({ at, requestId, ...who, method, command, input, status, detail, before, after });
    if (status !== 401) await written;
  };
}

/** Records a shutdown caused by a signal. */
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
