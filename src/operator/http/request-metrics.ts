// Metrics of the operator API: requests by command and status, durations, and refusals by reason.
import type Koa from 'koa';
import { commandNames } from '../../../machines/commands.ts';
import { Histogram, latencyBoundsSec } from '../../metrics/counters.ts';
import { counter, type Family, histogram, type Labels } from '../../metrics/family.ts';
import type { OperatorState } from './request-state.ts';

/** More than exist; bounds the series that clients can create per command. */
const mostReasons = 100;

export interface OperatorRequests {
  /** Koa middleware, outside the handlers, so that the answer is known. */
  readonly counting: Koa.Middleware<OperatorState>;
  readonly families: () => Family[];
}

export function countRequests(): OperatorRequests {
  const answers = new Counts();
  const refusals = new Counts();
  const reasons = new Set<string>();
  const durations = new Map<string, Histogram>();
  const durationOf = (command: string): Histogram => {
    const known = durations.get(command) ?? new Histogram(latencyBoundsSec);
    durations.set(command, known);
    return known;
  };
  // Series start at 0, so that rates include their first increase.
  for (const command of commandNames) {
    for (const status of ['200', '409']) answers.add({ command, status }, 0);
  }

  return {
    counting: async (ctx, next) => {
      const startedAt = performance.now();
      await next();
      const command = commandOf(ctx);
      // Streams have no duration.
      if (ctx.respond !== false) durationOf(command).add((performance.now() - startedAt) / 1000);
      answers.add({ command, status: String(ctx.status) });
      const { problem } = ctx.state;
      if (problem === undefined) return;
      const reason = reasonOf(problem);
      if (reasons.size < mostReasons) reasons.add(reason);
      refusals.add({ command, reason: reasons.has(reason) ? reason : 'other' });
    },
    families: () => [
      counter(
        'distributor_operator_requests_total',
        'Requests to the operator API, by command or read, and status.',
        answers.series,
      ),
      counter(
        'distributor_operator_refusals_total',
        "Requests the operator API refused or could not carry out; the reason is the machine's or the token's, or the title of the problem.",
        refusals.series,
      ),
      histogram(
        'distributor_operator_request_duration_seconds',
        'From the headers of a request to the operator API to its answer.',
        latencyBoundsSec,
        [...durations].map(([command, duration]) => [{ command }, duration.reading]),
      ),
    ],
  };
}

/**
 * The last segment of the route: `stop-api`, `state`, `metrics`; a dry run is marked. `console`: any of its files.
 * `other`: no route matched.
 */
function commandOf(ctx: Koa.ParameterizedContext<OperatorState>): string {
  const route: unknown = ctx._matchedRoute;
  if (typeof route !== 'string') return 'other';
  if (route === '/' || route.startsWith('/console/')) return 'console';
  const name = route.slice(route.lastIndexOf('/') + 1);
  return ctx.state.dryRun ? `${name}?dryRun=true` : name;
}

/** The detail of most statuses quotes the request and is unbounded: use the title. */
function reasonOf({ status, title, message }: { status: number; title: string; message: string }): string {
  return [401, 409].includes(status) ? message : title;
}

class Counts {
  readonly #byLabels = new Map<string, { readonly labels: Labels; count: number }>();

  get series(): (readonly [Labels, number])[] {
    return [...this.#byLabels.values()].map(({ labels, count }) => [labels, count]);
  }

  add(labels: Labels, count = 1): void {
    const key = Object.values(labels).join('\n');
    const known = this.#byLabels.get(key);
    if (known === undefined) this.#byLabels.set(key, { labels, count });
    else known.count += count;
  }
}
