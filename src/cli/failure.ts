// What is said of anything that went wrong, and the exit code it means.
import { CommanderError } from 'commander';
import { InputError, messageOf, NotReachable, TimedOut } from '../base/errors.ts';
import { exitCode } from './exit-codes.ts';
import { complain } from './print.ts';

/** Says it on stderr. */
export function failed(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has said it already. Asking for help or the version is no error.
    return error.exitCode === 0 ? exitCode('done') : exitCode('badInput');
  }
  complain(...(isOurMistake(error) ? (error.stack ?? error.message) : messageOf(error)).split('\n'));
  if (error instanceof InputError) return exitCode('badInput');
  if (error instanceof NotReachable) return exitCode('unreachable');
  return exitCode(error instanceof TimedOut ? 'timedOut' : 'broken');
}

/** The operator can do nothing about these; whoever mends them needs to know where they come from. */
const isOurMistake = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
