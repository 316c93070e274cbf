// Assembles all subcommands. Each loads its dependencies only when it runs, so that help is fast.
import { Command } from 'commander';
import { commandNames } from '../../machines/commands.ts';
import { version } from '../base/version.ts';
import { auditCommand } from './audit-command.ts';
import { catalogueCommand } from './catalogue-command.ts';
import { configCommand } from './config-command.ts';
import { diagramCommand } from './diagram-command.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { examples, peerHints } from './help.ts';
import { openapiCommand } from './openapi-command.ts';
import { operatorCommand, stateCommand } from './operator-commands.ts';
import { resetCommand } from './reset-command.ts';
import { startCommand } from './start-command.ts';
import { tokenCommand } from './token-command.ts';
import { watchCommand } from './watch-command.ts';

export function program(): Command {
  const program = new Command('distributor-node')
    .description('A distributor node: serves data objects to viewers, controlled by its operator.')
    .version(version, '--version', 'show the version')
    .helpOption('-h, --help', 'show help for the program or a subcommand')
    .helpCommand('help [command]', 'Show the help of a subcommand.')
    .addHelpText('after', help);
  const subcommands = [
    startCommand(),
    ...commandNames.map(operatorCommand),
    stateCommand(),
    watchCommand(),
    auditCommand(),
    tokenCommand(),
    catalogueCommand(),
    diagramCommand(),
    openapiCommand(),
    configCommand(),
    resetCommand(),
  ];
  for (const subcommand of subcommands) program.addCommand(subcommand.helpOption('-h, --help', 'show this help'));
  for (const command of [program, ...subcommands]) {
    // Errors are thrown so that one place maps them to exit codes. The hint is one line, not the full help.
    const name = command === program ? command.name() : `${program.name()} ${command.name()}`;
    command
      .exitOverride()
      .showHelpAfterError(`(${name} --help shows examples)`)
      .configureOutput({ outputError: (text, write) => write([text, ...hints()].join('')) });
  }
  return program;
}

const hints = (): string[] => peerHints(process.argv.slice(2)).map((line) => `${line}\n`);

const help = `${examples(
  ['distributor-node start', 'run a node with the example catalogue'],
  ['distributor-node state', 'show its state and the commands that are legal now'],
  ['distributor-node stop-api', 'stop serving; downloads in progress finish'],
  ['distributor-node set-buckets 1:0 1:1', 'distribute these two buckets'],
  ['distributor-node shutdown', 'stop the node'],
)}

On the machine of the node, with the same config, subcommands find its address and secret automatically.

${exitCodeHelp()}`;
