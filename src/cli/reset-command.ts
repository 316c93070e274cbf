// `reset`: deletes the state file, so that the config is effective again.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { type ConfigOptions, lazyConfig, withConfig } from './config-option.ts';
import { examples } from './help.ts';
import { say, sayError } from './print.ts';

export const resetCommand = (): Command =>
  withConfig(new Command('reset'))
    .summary('Delete the changes made by commands, so that the config is effective again.')
    .description(
      'Delete the state file: worker, buckets and target state of the public API come from the config again. The node must not be running.',
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
      const file = openStateFile(state, { syncDirectory: directorySync(sayError) });
      const nothing = `Nothing to delete: there is no ${file.path}`;
      // Locking would create the directory.
      if (!existsSync(state)) return say(nothing);
      const lock = await lockDirectory(state);
      try {
        say((await file.reset()) ? `Deleted ${file.path}` : nothing);
      } finally {
        await lock.release();
      }
    });
