// The option that names the config of a subcommand, with the spellings of the peer's command line.
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';

export interface ConfigOptions {
  readonly config?: readonly string[];
}

const append = (path: string, before: readonly string[] = []) => [...before, path];

/** Adds `--config`; the peer's `--configPath` means the same, and its `--yes` has no effect: there are no prompts. */
export function withConfig(command: Command): Command {
  const peerSpelling = new Option('--configPath <file>').argParser(append).hideHelp();
  peerSpelling.attributeName = () => 'config';
  return command
    .option(
      '-c, --config <file>',
      'config file of the node, repeatable (default: DISTRIBUTOR_CONFIG, CONFIG_PATH, ./config.yml if it exists, built-in defaults)',
      append,
    )
    .addOption(peerSpelling)
    .addOption(new Option('-y, --yes').hideHelp());
}

/** Loads the config at most once, and only if options and environment leave a value open. */
export function lazyConfig({ config: paths }: ConfigOptions): () => Promise<Config> {
  let config: Promise<Config> | undefined;
  return () => {
    config ??= import('../config/config.ts').then(({ loadConfig }) =>
      loadConfig({ paths, env: process.env, cwd: process.cwd() }),
    );
    return config;
  };
}
