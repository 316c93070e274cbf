// Every piece of documentation generated from code: add yours here, and its markers in the page.
import { partOf } from '../../../machines/diagram/diagram.ts';
import { toDot } from '../../../machines/diagram/dot.ts';
import { toMermaid } from '../../../machines/diagram/mermaid.ts';
import { downloadOutline } from '../../../machines/download-diagram.ts';
import { nodeDiagram, nodeOutline } from '../../../machines/node-diagram.ts';
import { dotToSvg, unpainted } from '../../../src/base/diagram-svg.ts';
import { exitCodeTable } from '../../../src/cli/exit-codes.ts';
import { configReference } from '../../../src/config/config-reference.ts';
import { commandTable } from './command-table.ts';
import { conditionsTable } from './condition-table.ts';
import { metricsTable } from './metrics-table.ts';
import { legalityTable, stateTable } from './state-table.ts';

/** The files that have pieces in them, relative to the root. */
export const pages = [
  'docs/api.md',
  'docs/configuration.md',
  'docs/operating.md',
  'machines/README.md',
  'examples/monitoring/README.md',
] as const;

/** What stands between `<!-- generated:NAME -->` and `<!-- /generated -->`. */
export const pieces: Readonly<Record<string, () => string>> = {
  commands: commandTable,
  legality: legalityTable,
  states: stateTable,
  mermaid: () => ['```mermaid', toMermaid(nodeOutline).trimEnd(), '```'].join('\n'),
  'download-mermaid': () => ['```mermaid', toMermaid(downloadOutline).trimEnd(), '```'].join('\n'),
  conditions: conditionsTable,
  config: configReference,
  'exit-codes': exitCodeTable,
  metrics: metricsTable,
};

/** Whole files, by their path relative to the root. */
export const pictures: Readonly<Record<string, () => Promise<string>>> = {
  'machines/node.svg': () => dotToSvg(toDot(nodeOutline)),
  'src/console/machine.svg': async () => unpainted(await dotToSvg(toDot(nodeOutline))),
  'src/console/machine-narrow.html': narrowMachine,
  'machines/node-full.svg': () => dotToSvg(toDot(nodeDiagram)),
};

/** The regions one below the other, each from the top down: for a page that is no wider than a phone. */
async function narrowMachine(): Promise<string> {
  const parallel = nodeOutline.nodes.filter(({ kind }) => kind === 'parallel').map(({ id }) => id);
  const all = nodeOutline.nodes.filter(({ parent }) => parent !== null && parallel.includes(parent));
  // As in the other drawing: the region from which the end is reached stands last, next to it.
  const [inner, last] = [true, false].map((stays) =>
    all.filter(({ id }) => partOf(nodeOutline, id).nodes.every((node) => node.id.startsWith(id)) === stays),
  );
  const regions = [...(inner ?? []), ...(last ?? [])];
  const drawn = regions.map(async ({ id, name }) => {
    const svg = unpainted(await dotToSvg(toDot(partOf(nodeOutline, id), { rankdir: 'TB' })), 'narrow-');
    return `<figure>\n<figcaption>${name}</figcaption>\n${svg.trim()}\n</figure>\n`;
  });
  return (await Promise.all(drawn)).join('');
}
