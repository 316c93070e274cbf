#!/usr/bin/env node
// The command line: reads the arguments, runs one subcommand, and exits with a documented code.
import { codeOf } from './base/errors.ts';
import { failed } from './cli/failure.ts';
import { program } from './cli/program.ts';

// A reader that has seen enough, as in «distributor-node state | head -1», is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error;
  });
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = failed(error);
}
