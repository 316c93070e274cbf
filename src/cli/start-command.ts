// `start`: runs a node in this process until it is shut down.
import { Command } from 'commander';
import { type ConfigOptions, withConfig } from './config-option.ts';
import { examples } from './help.ts';

const help = `${examples(
  ['distributor-node start'],
  ['distributor-node start --config /etc/distributor-node/config.yml'],
  ['DISTRIBUTOR__PUBLIC_API__PORT=8080 distributor-node start'],
)}

«distributor-node shutdown», SIGTERM, SIGINT and closing the terminal all shut the node down cleanly, with exit code 0.
Changes made by commands are saved and override the config; «distributor-node reset» deletes them.`;

export const startCommand = (): Command =>
  withConfig(new Command('start'))
    .summary('Run a node until it is shut down.')
    .description(
      'Run a node until it is shut down. It prints its addresses on stdout when it is up; the log goes to stderr.',
    )
    .addHelpText('after', help)
    .action(async ({ config }: ConfigOptions) => {
      const { startNode } = await import('../start.ts');
      const place = { env: process.env, cwd: process.cwd() };
      process.exitCode = await startNode({ ...place, ...(config && { configPaths: config }) });
      // Open handles must not keep a node that has ended alive.
      setTimeout(() => process.exit(), 1000).unref();
    });
