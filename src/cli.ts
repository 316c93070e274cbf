#!/usr/bin/env node
// The command line: reads the arguments, runs one subcommand, and exits with a documented code.
import { codeOf, messageOf } from './base/errors.ts';
import { exitCode, failed } from './cli/exit-codes.ts';
import { complain } from './cli/print.ts';
import { program } from './cli/program.ts';

// A reader that has seen enough, as in «distributor-node state | head -1», is no failure; a disk that is full is one.
process.stdout.on('error', (error) => {
  if (codeOf(error) === 'EPIPE') return;
  complain(`The output could not be written: ${messageOf(error)}`);
  process.exit(exitCode('broken'));
});
// There is no other place where it could be said.
process.stderr.on('error', () => {});

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = failed(error);
}
