#!/usr/bin/env node
// The command line: reads the arguments, runs one subcommand, and exits with a documented code.
import { codeOf, messageOf } from './base/errors.ts';
import { exitCode, failed } from './cli/exit-codes.ts';
import { sayError } from './cli/print.ts';
import { program } from './cli/program.ts';

// A reader that closes the pipe, as in «distributor-node state | head -1», is not a failure; a full disk is.
process.stdout.on('error', (error) => {
  if (codeOf(error) === 'EPIPE') return;
  sayError(`The output could not be written: ${messageOf(error)}`);
  process.exit(exitCode('broken'));
});
// There is no other place to report it.
process.stderr.on('error', () => {});

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = failed(error);
}
