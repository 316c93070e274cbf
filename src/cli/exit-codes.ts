// The exit codes of the command line, one table for the code, the help and docs/operating.md; and the code for a thrown error.
import { CommanderError } from 'commander';
import { InputError, messageOf, NotReachable, TimedOut } from '../base/errors.ts';
import { sayError } from './print.ts';

const table = {
  done: [0, 'done'],
  broken: [1, 'internal error, in the node (500) or in this program'],
  refused: [20, 'refused by the operator API (400 and other 4xx)'],
  unauthorized: [21, 'not authorized (401, 403): wrong secret, node, clock or scope'],
  conflict: [22, 'not allowed in this state (409, 412)'],
  timedOut: [23, 'no answer before the timeout; the command may still have been carried out'],
  unreachable: [24, 'operator API not reachable, or the connection closed before an answer'],
  notReached: [25, 'done, but the --wait goal was not reached before its timeout'],
  badInput: [40, 'invalid options, config or local files; nothing was sent'],
} as const;

type Outcome = keyof typeof table;

export const exitCode = (outcome: Outcome): number => table[outcome][0];

/** The exit code for an HTTP status of the operator API. */
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

/** Prints the error on stderr. @returns the exit code */
export function failed(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has already printed it. Asking for help or the version is not an error.
    return error.exitCode === 0 ? exitCode('done') : exitCode('badInput');
  }
  sayError(...(isBug(error) ? (error.stack ?? error.message) : messageOf(error)).split('\n'));
  if (error instanceof InputError) return exitCode('badInput');
  if (error instanceof NotReachable) return exitCode('unreachable');
  return exitCode(error instanceof TimedOut ? 'timedOut' : 'broken');
}

/** Bugs in this program: the developer needs the stack. */
const isBug = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
