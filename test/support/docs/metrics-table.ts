// The table of metrics, from the readings of a node that has just started.
import { conditionTypes } from '../../../src/base/condition.ts';
import { noServerMetrics } from '../../../src/metrics/counters.ts';
import type { Family } from '../../../src/metrics/family.ts';
import { nodeFamilies } from '../../../src/metrics/node-metrics.ts';
import { publicFamilies } from '../../../src/metrics/public-metrics.ts';
import { countRequests } from '../../../src/operator/http/request-metrics.ts';
import { table } from './markdown.ts';

export function metricsTable(): string {
  const families = [
    ...nodeFamilies({
      state: {
        ...{ version: '', node: 'running', publicApi: 'stopped', generation: 0, drain: null },
        ...{ workers: [], directory: null, conditions: [], desired: { publicApi: 'stopped' } },
      },
      ...{ serverMetrics: noServerMetrics, losses: {}, cut: 0, lag: noServerMetrics.counts.lag, conditionTypes },
    }),
    ...countRequests().families(),
    ...publicFamilies(noServerMetrics),
  ];
  return table(
    ['metric', 'type', 'labels', ''],
    families.map((family) => [`\`${family.name}\``, family.type, labelsOf(family), family.help]),
  );
}

/** The labels of families that have no series before the first request. */
const unseen: Readonly<Record<string, string>> = {
  distributor_operator_refusals_total: '`command`, `reason`',
  distributor_operator_request_duration_seconds: '`command`',
};

function labelsOf({ name, samples }: Family): string {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)).filter((label) => label !== 'le'));
  return unseen[name] ?? [...names].map((label) => `\`${label}\``).join(', ');
}
