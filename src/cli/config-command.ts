// `config`: prints the effective config, as a node started here would load it.
import { Command, Option } from 'commander';
import { type ConfigOptions, lazyConfig, withConfig } from './config-option.ts';
import { examples } from './help.ts';
import { sayFile, sayJson } from './print.ts';

export const configCommand = (): Command =>
  withConfig(new Command('config'))
    .summary('Print the effective config.')
    .description('Print the effective config: files, environment and defaults combined. Secrets are omitted.')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      examples(
        ['distributor-node config'],
        ['distributor-node config --config ./node.yml --output json'],
        ['DISTRIBUTOR__PUBLIC_API__PORT=8080 distributor-node config'],
      ),
    )
    .action(async ({ output, ...options }: ConfigOptions & { output: 'yaml' | 'json' }) => {
      const { shownConfig } = await import('../config/shown-config.ts');
      const shown = shownConfig(await lazyConfig(options)());
      if (output === 'json') sayJson(shown, 2);
      else sayFile((await import('js-yaml')).dump(shown));
    });
