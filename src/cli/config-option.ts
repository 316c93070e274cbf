// Which config a subcommand reads: our option, and what the peer's operators type for it.
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';

export interface ConfigOptions {
  readonly config?: readonly string[];
}

const together = (path: string, before: readonly string[] = []) => [...before, path];

/** Adds `--config`; the peer's `--configPath` means the same, and its `--yes` means nothing here: there are no prompts. */
export function withConfig(command: Command): Command {
  const peerSpelling = new Option('--configPath <file>').argParser(together).hideHelp();
  peerSpelling.attributeName = () => 'config';
  return command
    .option(
      '-c, --config <file>',
      'config of the node, several times for several files (else DISTRIBUTOR_CONFIG, CONFIG_PATH, ./config.yml if there, defaults)',
      together,
    )
    .addOption(peerSpelling)
    .addOption(new Option('-y, --yes').hideHelp());
}

/** Loaded at most once, and only where options and environment leave something open. */
export function lazyConfig({ config: paths }: ConfigOptions): () => Promise<Config> {
  let config: Promise<Config> | undefined;
  return () => {
    config ??= import('../config/config.ts').then(({ loadConfig }) =>
      loadConfig({ paths, env: process.env, cwd: process.cwd() }),
    );
    return config;
  };
}
