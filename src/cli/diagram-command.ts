// `diagram`: prints the node machine as a diagram, generated from the machine that runs.
import { Command, Option } from 'commander';
import { examples } from './help.ts';
import { sayFile, sayJson } from './print.ts';

interface DiagramOptions {
  readonly format: 'mermaid' | 'svg' | 'json';
  readonly full?: true;
}

export const diagramCommand = (): Command =>
  new Command('diagram')
    .summary('Print a diagram of the node machine.')
    .description('Print a diagram of the node machine: the states visible to the operator, or all of them with --full.')
    .addOption(
      new Option('-f, --format <format>', 'mermaid: text; svg: a picture; json: states and transitions as data')
        .choices(['mermaid', 'svg', 'json'])
        .default('mermaid'),
    )
    .option('--full', 'every state, transition and guard')
    .addHelpText(
      'after',
      examples(
        ['distributor-node diagram'],
        ['distributor-node diagram --format svg > node.svg'],
        ['distributor-node diagram --full --format json'],
      ),
    )
    .action(async ({ format, full }: DiagramOptions) => {
      const { nodeDiagram, nodeOutline } = await import('../../machines/node-diagram.ts');
      const diagram = full ? nodeDiagram : nodeOutline;
      switch (format) {
        case 'json':
          return sayJson(diagram, 2);
        case 'svg': {
          const { toDot } = await import('../../machines/diagram/dot.ts');
          const { dotToSvg } = await import('../base/diagram-svg.ts');
          return sayFile(await dotToSvg(toDot(diagram)));
        }
        case 'mermaid': {
          const { toMermaid } = await import('../../machines/diagram/mermaid.ts');
          return sayFile(toMermaid(diagram));
        }
      }
    });
