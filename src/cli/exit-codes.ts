// The exit codes of the command line, one table for the code, the help and docs/operating.md; and the code for a thrown error.
import { CommanderError } from 'commander';
import { InputError, messageOf, NotReachable, TimedOut } from '../base/errors.ts';
import { complain } from './print.ts';

const table = {
  done: [0, 'done'],
  broken: [1, 'something broke: in the node (500), or here'],
  refused: [20, 'the operator API refused (400 and the rest)'],
  unauthorized: [21, 'not authorized (401, 403): wrong secret, node, clock or scope'],
  conflict: [22, 'not in this state (409, 412)'],
  timedOut: [23, 'no answer in time; a command may have been carried out all the same'],
  unreachable: [24, 'no operator API there, or it went away before it had answered'],
  notReached: [25, 'done, but what --wait waits for did not come in time'],
  badInput: [40, 'wrong options, config or files here; nothing was sent'],
} as const;

type Outcome = keyof typeof table;

export const exitCode = (outcome: Outcome): number => table[outcome][0];

/** The exit code that an HTTP status of the operator API stands for. */
export function exitCodeOf(status: number): number {
  if (status === 200) return exitCode('done');
  if (status === 401 || status === 403) return exitCode('unauthorized');
  if (status === 409 || status === 412) return exitCode('conflict');
  return exitCode(status >= 500 ? 'broken' : 'refused');
}

export const exitCodeHelp = (): string =>
  ['Exit codes:', ...Object.values(table).map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`)].join('\n');

/** For docs/operating.md. */
export const exitCodeTable = (): string =>
  [
    '| exit code | meaning |',
    '| --- | --- |',
    ...Object.values(table).map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
  ].join('\n');

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
