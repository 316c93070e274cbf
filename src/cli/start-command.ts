// `start`: runs a node in this process until it is shut down.
import { Command } from 'commander';
import { type ConfigOptions, withConfig } from './config-option.ts';
import { examples } from './help.ts';

const help = `${examples(
  ['distributor-node start'],
  ['distributor-node start --config /etc/distributor-node/config.yml'],
  ['DISTRIBUTOR__PUBLIC_API__PORT=8080 distributor-node start'],
)}

«distributor-node shutdown», SIGTERM, SIGINT and a closed terminal end it in the same way, with exit code 0.
What commands have changed is kept and goes before the config; «distributor-node reset» drops it.`;

export const startCommand = (): Command =>
  withConfig(new Command('start'))
    .summary('Run a node until it is shut down.')
    .description('Run a node until it is shut down. Lines on stdout say when it is up; the log goes to stderr.')
    .addHelpText('after', help)
    .action(async ({ config }: ConfigOptions) => {
      const { startNode } = await import('../start.ts');
      const place = { env: process.env, cwd: process.cwd() };
      process.exitCode = await startNode({ ...place, ...(config && { configPaths: config }) });
      // Whatever may still be open: a node that has ended must not linger.
      setTimeout(() => process.exit(), 1000).unref();
    });
