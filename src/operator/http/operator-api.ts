// The operator API: routes generated from the command table, and the order of checks.
import Router, { type RouterContext } from '@koa/router';
import Koa from 'koa';
import { type Command, commandNames, commands } from '../../../machines/commands.ts';
import { codeOf, messageOf, type Problem } from '../../base/errors.ts';
import { compile } from '../../base/validate.ts';
import type { Config } from '../../config/config.ts';
import type { CommandOptions, CommandResult, Health, NodeControl } from '../../control/node-control.ts';
import { auditing } from '../audit/audit.ts';
import type { Audit } from '../audit/audit-entry.ts';
import { authorize, checkBody, checkScope, useUp } from '../auth/authorize.ts';
import { emptyBody, type TokenRules } from '../auth/tokens.ts';
import { type UsedTokens, usedTokensInMemory } from '../auth/used-tokens.ts';
import { streamEvents } from '../events/event-stream.ts';
import type { Events } from '../events/events.ts';
import { access } from './access-log.ts';
import { type Place, Places } from './arrival-order.ts';
import { createBodyReader } from './body.ts';
import { consoleRoutes } from './console-files.ts';
import { checkDryRun, isDryRun } from './dry-run.ts';
import { healthRoutes } from './health.ts';
import { createMetrics, type MeasuredSide } from './metrics-route.ts';
import { openapiRoutes } from './openapi-route.ts';
import { createHostCheck } from './origin.ts';
import { answerState, preconditionOf } from './preconditions.ts';
import { answerProblems, type Log, problem } from './problems.ts';
import { type Moment, momentOf, type OperatorState } from './request-state.ts';
import { UnderWay } from './under-way.ts';

export interface OperatorApiParts {
  readonly node: NodeControl;
  readonly publicSide: MeasuredSide;
  readonly config: Pick<Config, 'id'> & {
    readonly operatorApi: Pick<
      NonNullable<Config['operatorApi']>,
      'host' | 'allowedHosts' | 'maxBodyBytes' | 'bodyWaitMs' | 'accessTokens' | 'maxUsedTokens'
    >;
  };
  readonly secret: Uint8Array;
  readonly isBucketId: (id: string) => boolean;
  readonly log: Log;
  /** Default: used tokens are remembered in memory only. */
  readonly usedTokens?: UsedTokens;
  readonly audit?: Audit;
  /** Default: of the health endpoints, only `/livez`. */
  readonly health?: () => Health;
  /** Default: no `/events`. */
  readonly events?: Events;
  /** Tracks pending requests; default: untracked. */
  readonly underWay?: UnderWay;
  readonly now?: () => number;
}

type Context = RouterContext<OperatorState>;

/** Limit of errors in a 400. */
const maxErrors = 100;
/** An unknown key may be as long as the body. */
const longestPath = 300;
const cut = (path: string): string => (path.length > longestPath ? `${path.slice(0, longestPath)}…` : path);

export function createOperatorApi(parts: OperatorApiParts): Koa<OperatorState> {
  const { node, config, secret, isBucketId, log, audit, events, underWay = new UnderWay(), now = Date.now } = parts;
  const { accessTokens, maxBodyBytes, bodyWaitMs, maxUsedTokens } = config.operatorApi;
  const rules: TokenRules = { secret, id: config.id, accessTokens, now };
  const usedTokens = parts.usedTokens ?? usedTokensInMemory({ max: maxUsedTokens, now });
  const metrics = createMetrics(node, parts.publicSide);
  const readBody = createBodyReader(maxBodyBytes);
  const places = new Places(bodyWaitMs);
  const router = new Router<OperatorState>({ prefix: '/api/v1', sensitive: true, strict: true });

  router.get('/state', async (ctx) => {
    const token = await authorize(ctx, rules);
    ctx.state.token = token;
    checkBody(token, emptyBody);
    answerState(ctx, node.state);
  });

  if (events) {
    router.get('/events', async (ctx) => {
      const token = await authorize(ctx, rules);
      ctx.state.token = token;
      checkBody(token, emptyBody);
      streamEvents(ctx, events, token, now);
    });
  }

  for (const name of commandNames) {
    const validate = compile(commands[name].input, { 'bucket-id': isBucketId });
    router.post(`/${name}`, async (ctx) => {
      ctx.state.command = name;
      ctx.state.dryRun = isDryRun(ctx.querystring);
      const place = places.take(ctx.req);
      // A dry run has no effect and needs no order.
      if (ctx.state.dryRun) place.leave();
      try {
        const token = await authorize(ctx, rules);
        ctx.state.token = token;
        checkScope(token);
        const body = await readBody(ctx);
        checkBody(token, body);
        await useUp(token, usedTokens);
        const found = validate(body.value);
        if (found.length > 0) throw invalidBody(found);
        ctx.state.input = body.value;
        checkDryRun(ctx.querystring);
        const onlyIf = preconditionOf(ctx, config.id);
        const command = { ...(body.value as object), type: name } as Command;
        if (ctx.state.dryRun) await preview(ctx, node, command, { onlyIf });
        else await carryOut(ctx, node, command, { onlyIf, place });
      } finally {
        place.leave();
      }
    });
  }

  const app = new Koa<OperatorState>({ env: 'production' });
  // Errors of a broken connection after the answer; without a listener Koa prints them.
  app.on('error', (err: unknown, ctx?: Koa.Context) => {
    const reason = { code: codeOf(err), reason: messageOf(err), requestId: ctx?.state.requestId };
    log.debug(reason, 'A connection to the operator API broke');
  });
  app.use(underWay.following);
  app.use(access(log));
  if (events) app.use(timing(events));
  app.use(metrics.counting);
  app.use(auditing(log, now, audit));
  app.use(answerProblems(log));
  app.use(checkTarget(createHostCheck(config.operatorApi)));
  const open = [consoleRoutes(), openapiRoutes(), metrics.router, healthRoutes(parts.health)];
  for (const one of [router, ...open]) app.use(one.routes());
  app.use(notRouted);
  return app;
}

/** Measures latency, except of executed commands, whose steps take their time, and of streams. */
function timing(events: Events): Koa.Middleware<OperatorState> {
  return async (ctx, next) => {
    const start = performance.now();
    await next();
    const { before, problem } = ctx.state;
    const tookItsTime = before !== undefined && problem?.status !== 409;
    if (!tookItsTime && ctx.respond !== false) events.answered(performance.now() - start);
  };
}

/** Only the machine decides whether a command is legal; `If-Match` may then reject a legal one. */
async function carryOut(
  ctx: Context,
  node: NodeControl,
  command: Command,
  { onlyIf, place }: CommandOptions & { readonly place: Place },
): Promise<void> {
  const onTurn = (before: Moment) => {
    ctx.state.before = before;
  };
  // A shutdown overtakes earlier commands; later ones still wait for it.
  if (command.type !== 'shutdown') await place.turn();
  const ending = node.command(command, { onlyIf, onTurn });
  // The node keeps the order from here on.
  place.leave();
  const outcome = await ending;
  ctx.state.after = momentOf(outcome.result === 'done' ? outcome.state : node.state);
  if (outcome.result === 'failed') throw problem(500, outcome.reason);
  if (outcome.result !== 'done') throw refused(outcome);
  answerState(ctx, outcome.state);
}

async function preview(ctx: Context, node: NodeControl, command: Command, options: CommandOptions): Promise<void> {
  const outcome = await node.preview(command, options);
  if (outcome.result !== 'possible') throw refused(outcome);
  ctx.body = outcome.preview;
}

function refused(outcome: Extract<CommandResult, { result: 'refused' | 'moved' }>): Problem {
  const { state, allowed } = outcome;
  if (outcome.result === 'refused') return problem(409, outcome.reason, { members: { state, allowed } });
  const { generation } = outcome;
  const detail = `The node has moved on: its state is of generation ${generation} and not the one in If-Match`;
  return problem(412, detail, { members: { state, allowed, generation } });
}

function invalidBody(found: readonly { readonly path: string; readonly message: string }[]) {
  const errors = found.slice(0, maxErrors).map(({ path, message }) => ({ path: cut(path), message }));
  const [first] = errors;
  const others = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  const detail = `${first?.path || 'The body'} ${first?.message}${others}`;
  return problem(400, detail, { members: { errors } });
}

/** Checks Host and Origin, and that the path of the request target can be compared byte for byte. */
function checkTarget(refusalOf: ReturnType<typeof createHostCheck>): Koa.Middleware {
  return async (ctx, next) => {
    // RFC 9112 §3.2.2: servers accept the absolute form, and its authority takes precedence.
    const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(ctx.url) ?? [];
    const hosts = [...(ctx.req.headersDistinct.host ?? []), ...(authority === undefined ? [] : [authority])];
    const { origin } = ctx.headers;
    const refusal = refusalOf({ hosts, origin, localAddress: ctx.socket.localAddress });
    if (refusal !== null) throw problem(403, refusal);
    if (rest !== undefined) ctx.url = rest.startsWith('/') ? rest : `/${rest}`;
    // Koa's parser would derive another path from these.
    if (!/^\/[!-"$-~]*$/.test(ctx.url)) throw notFound();
    await next();
  };
}

const notFound = () => problem(404, 'There is nothing here; the operator API is under /api/v1');

/** No route matched: the path is unknown, or the method is not supported. */
function notRouted(ctx: Koa.Context): never {
  const layers: Router['stack'] = ctx.matched ?? [];
  const methods = [...new Set(layers.flatMap((layer) => layer.methods))].sort();
  if (methods.length === 0) throw notFound();
  const allow = methods.join(', ');
  throw problem(405, `${ctx.method} is not possible here, but ${allow}`, { headers: { Allow: allow } });
}
