// `GET /metrics`: all metrics, from memory; queries no other process.
import Router from '@koa/router';
import type { ConditionType } from '../../base/condition.ts';
import type { NodeControl } from '../../control/node-control.ts';
import { type LagMeter, measureLag } from '../../metrics/event-loop-lag.ts';
import { expose } from '../../metrics/exposition.ts';
import { nodeFamilies } from '../../metrics/node-metrics.ts';
import { publicFamilies } from '../../metrics/public-metrics.ts';
import type { PublicSide } from '../../supervisor/public-side.ts';
import { countRequests } from './request-metrics.ts';
import type { OperatorState } from './request-state.ts';

export type MeasuredSide = Pick<PublicSide, 'serverMetrics' | 'losses' | 'subscribe'>;

/** One per process, even if a test runs several nodes in it. */
let lagMeter: LagMeter | undefined;

export function createMetrics(node: Pick<NodeControl, 'state'>, publicSide: MeasuredSide) {
  const requests = countRequests();
  const conditionTypes = new Set<ConditionType>();
  lagMeter ??= measureLag();
  const meter = lagMeter;
  let cut = 0;
  publicSide.subscribe((event) => {
    if (event.type === 'drain.ended') cut += event.cut;
  });

  const read = () => {
    const { state } = node;
    const { serverMetrics, losses } = publicSide;
    for (const { type } of state.conditions) conditionTypes.add(type);
    return [
      ...nodeFamilies({ state, serverMetrics, losses, cut, lag: meter.reading, conditionTypes }),
      ...requests.families(),
      ...publicFamilies(serverMetrics),
    ];
  };

  const router = new Router<OperatorState>({ sensitive: true, strict: true });
  router.get('/metrics', async (ctx) => {
    const { contentType, text } = await expose(read(), wantsOpenMetrics(ctx.get('Accept')));
    ctx.vary('Accept');
    ctx.set('Content-Type', contentType);
    ctx.body = text;
  });
  return { router, counting: requests.counting };
}

/** Scrapers send a few hundred characters; the rest is ignored. */
const longestAccept = 4096;

/** Whether the client prefers OpenMetrics 1.0 to plain text. Unknown parameters are ignored. */
export function wantsOpenMetrics(accept: string): boolean {
  let [open, plain] = [0, 0];
  for (const range of accept.slice(0, longestAccept).toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const said = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const weight = Number(said('q') ?? 1) || 0;
    const version = said('version') ?? '1.0.0';
    if (type === 'application/openmetrics-text' && version === '1.0.0') open = Math.max(open, weight);
    if (type === 'text/plain') plain = Math.max(plain, weight);
  }
  return open > 0 && open >= plain;
}
