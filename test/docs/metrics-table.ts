// The table of metrics, from readings of a node that has nothing to tell yet.
import { noVitals } from '../../src/figures.ts';
import type { Family } from '../../src/operator/metrics/family.ts';
import { nodeFamilies } from '../../src/operator/metrics/node.ts';
import { publicFamilies } from '../../src/operator/metrics/public.ts';
import { countRequests } from '../../src/operator/metrics/requests.ts';
import { table } from './markdown.ts';

export function metricsTable(): string {
  const families = [
    ...nodeFamilies({
      state: {
        ...{ version: '', node: 'running', publicApi: 'stopped', generation: 0, drain: null },
        ...{ workers: [], conditions: [], desired: { publicApi: 'stopped' } },
      },
      ...{ vitals: noVitals, losses: {}, cut: 0, lag: noVitals.counts.lag, conditionTypes: ['…'] },
    }),
    ...countRequests().families(),
    ...publicFamilies(noVitals, 0),
  ];
  return table(
    ['metric', 'type', 'labels', ''],
    families.map((family) => [`\`${family.name}\``, family.type, labelsOf(family), family.help]),
  );
}

/** Of the request counters, those are named of which no series can be known beforehand. */
const unseen: Readonly<Record<string, string>> = {
  distributor_operator_refusals_total: '`command`, `reason`',
  distributor_operator_request_duration_seconds: '`command`',
};

function labelsOf({ name, samples }: Family): string {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)).filter((label) => label !== 'le'));
  return unseen[name] ?? [...names].map((label) => `\`${label}\``).join(', ');
}
