// What a command may be told to wait for once it has been answered.
import { type Command, Option } from 'commander';
import { parseTimeout } from './duration.ts';

const goals = ['drained', 'running', 'stopped', 'exited'] as const;

/** `drained`: no response of before a stop is under way any more. `exited`: the process has let go of its operator port. */
export type Goal = (typeof goals)[number];

export interface WaitOptions {
  readonly wait?: Goal;
  /** Milliseconds. */
  readonly waitTimeout: number;
}

export const withWait = (command: Command): Command =>
  command
    .addOption(new Option('--wait <goal>', 'afterwards, wait until the node is').choices(goals).conflicts('dryRun'))
    .addOption(
      new Option('--wait-timeout <time>', 'for so long at most').argParser(parseTimeout).default(60_000, '60s'),
    );
