// What is said of anything that went wrong, and the exit code it means.
import { CommanderError } from 'commander';
import { messageOf } from '../errors.ts';
import { exitCode } from './exit-codes.ts';

/** Says it on stderr. Errors are known by their names, so that no subcommand loads another's modules. */
export function failed(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has said it already. Asking for help or the version is no error.
    return error.exitCode === 0 ? exitCode('done') : exitCode('badInput');
  }
  console.error(isOurMistake(error) ? error.stack : messageOf(error));
  switch (error instanceof Error ? error.name : '') {
    case 'InputError':
      return exitCode('badInput');
    case 'NotReachable':
      return exitCode('unreachable');
    case 'TimedOut':
      return exitCode('timedOut');
    default:
      return exitCode('broken');
  }
}

/** The operator can do nothing about these; whoever mends them needs to know where they come from. */
const isOurMistake = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
