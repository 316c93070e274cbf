// Which config a subcommand reads: our option, and what the peer's operators type for it.
import { type Command, Option } from 'commander';
import type { Config } from '../config.ts';

export interface ConfigOptions {
  readonly config?: string;
}

/** Adds `--config`; the peer's `--configPath` means the same, and its `--yes` means nothing here: there are no prompts. */
export function withConfig(command: Command): Command {
  const peerSpelling = new Option('--configPath <file>').hideHelp();
  peerSpelling.attributeName = () => 'config';
  return command
    .option(
      '-c, --config <file>',
      'config of the node (else DISTRIBUTOR_CONFIG, CONFIG_PATH, ./config.yml if there, defaults)',
    )
    .addOption(peerSpelling)
    .addOption(new Option('-y, --yes').hideHelp());
}

/** Loaded at most once, and only where options and environment leave something open. */
export function lazyConfig({ config: path }: ConfigOptions): () => Promise<Config> {
  let config: Promise<Config> | undefined;
  return () => {
    config ??= import('../config.ts').then(({ loadConfig }) =>
      loadConfig({ path, env: process.env, cwd: process.cwd() }),
    );
    return config;
  };
}
