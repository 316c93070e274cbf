// `config`: the config in effect, as a node started here would see it.
import { Command, Option } from 'commander';
import { configOption, lazyConfig } from './connection.ts';
import { examples } from './help.ts';

export const configCommand = (): Command =>
  new Command('config')
    .summary('Print the config in effect.')
    .description('Print the config in effect: file, environment and defaults together. Secrets are left out.')
    .addOption(configOption())
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      examples(
        ['distributor-node config'],
        ['distributor-node config --config ./node.yml --output json'],
        ['DISTRIBUTOR__PUBLIC_API__PORT=8080 distributor-node config'],
      ),
    )
    .action(async ({ config: path, output }: { config?: string; output: 'yaml' | 'json' }) => {
      const { shownConfig } = await import('../config/shown.ts');
      const shown = shownConfig(await lazyConfig(path)());
      if (output === 'json') console.log(JSON.stringify(shown, null, 2));
      else process.stdout.write((await import('js-yaml')).dump(shown));
    });
