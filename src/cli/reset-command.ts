// `reset`: drops what commands have changed, so that the config alone counts again.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { type ConfigOptions, lazyConfig, withConfig } from './config-option.ts';
import { examples } from './help.ts';
import { complain, say } from './print.ts';

export const resetCommand = (): Command =>
  withConfig(new Command('reset'))
    .summary('Drop what commands have changed, so that the config counts again.')
    .description(
      'Drop the state file: worker, buckets and wanted public API are those of the config again. The node must not be running.',
    )
    .addHelpText(
      'after',
      examples(['distributor-node reset'], ['distributor-node reset --config /etc/distributor-node/config.yml']),
    )
    .action(async (options: ConfigOptions) => {
      const { state } = (await lazyConfig(options)()).directories;
      const { openStateFile } = await import('../control/state-file.ts');
      const { lockDirectory } = await import('../control/lock.ts');
      const { directorySync } = await import('../base/sync-directory.ts');
      const file = openStateFile(state, { syncDirectory: directorySync(complain) });
      const nothing = `Nothing to drop: there is no ${file.path}`;
      // The lock would make the directory.
      if (!existsSync(state)) return say(nothing);
      const lock = await lockDirectory(state);
      try {
        say((await file.reset()) ? `Dropped ${file.path}` : nothing);
      } finally {
        await lock.release();
      }
    });
