// The subcommands that call the operator API: one for each row of the command table, and `state`.
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type CommandName, commands } from '../../machines/commands.ts';
import type { Answer, CommandModifiers, OperatorClient } from '../client/http-client.ts';
import type { StateDocument } from '../control/node-control.ts';
import {
  isPreview,
  isStateDocument,
  previewLines,
  problemLines,
  stateLines,
  strangerText,
  successLines,
} from './answers.ts';
import { parseTimeout } from './argument-types.ts';
import { withInput } from './command-input.ts';
import { lazyConfig } from './config-option.ts';
import { type ConnectionOptions, secretFor, urlFor, withConnectionOptions } from './connection.ts';
import { exitCode, exitCodeHelp, exitCodeOf } from './exit-codes.ts';
import { examples } from './help.ts';
import { say, sayError, sayJson } from './print.ts';
import { type WaitOptions, waitFor, withWait } from './wait.ts';

export interface CallOptions extends ConnectionOptions, CommandModifiers, WaitOptions {
  readonly output: 'text' | 'json';
  readonly timeout: number;
  readonly sub?: string;
}

export function stateCommand(): Command {
  return withWait(calling(new Command('state'), ['state', 'state --output json', 'state --wait running']))
    .summary('Show the state of the node and the commands that are legal now.')
    .description('Show the state of the node, its settings, its conditions, and the commands that are legal now.')
    .action((options: CallOptions) => call('state', options, (client) => client.state()));
}

export function operatorCommand(name: CommandName): Command {
  const { summary, examples: lines } = commands[name];
  const command = new Command(name).summary(summary).description(summary);
  const bodyTyped = withInput(command, name);
  return withWait(withWishes(calling(command, [...lines, `${lines[0]} --dry-run`]))).action(() => {
    const body = bodyTyped();
    const options = command.opts<CallOptions>();
    return call(name, options, (client) => client.command(name, body, options));
  });
}

function withWishes(command: Command): Command {
  return command
    .option('--dry-run', 'show what the command would do, without doing it')
    .addOption(
      new Option('--if-match <generation>', 'only if the state still has this generation (or this ETag)').argParser(
        parseIfMatch,
      ),
    );
}

/** A generation as `state` shows it, an ETag with or without its quotes, or `*`. */
function parseIfMatch(text: string): string {
  if (text === '*' || /^"[!#-~]*"$/.test(text)) return text;
  if (/^[\w.-]+$/.test(text)) return `"${text}"`;
  throw new InvalidArgumentError('It must be a generation like 7, or an ETag of the state.');
}

export function calling(command: Command, lines: readonly string[]): Command {
  const elsewhere = `${lines[0]} --url http://node-7:3335 --secret-file ./secret`;
  const shown = [...lines, elsewhere].map((line): [string] => [`distributor-node ${line}`]);
  return withConnectionOptions(command)
    .addOption(
      new Option('-o, --output <format>', 'text for people; json: the complete answer, also of refusals')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addOption(new Option('--timeout <time>', 'timeout for the answer').argParser(parseTimeout).default(60_000, '60s'))
    .option('--sub <name>', 'name for the audit log (default: your user name on this machine)')
    .addHelpText('after', `${examples(...shown)}\n\n${exitCodeHelp()}`);
}

export interface Connected {
  readonly client: OperatorClient;
  readonly url: string;
  /** For messages: the file, or «what was given». */
  readonly secretFrom: string;
}

/** Connects as options, environment or config specify. */
export async function connect(options: CallOptions): Promise<Connected> {
  const config = lazyConfig(options);
  const url = await urlFor(options, config);
  const secret = await secretFor(options, config);
  const { createClient } = await import('../client/http-client.ts');
  const sub = options.sub ?? userName();
  const who = sub === undefined ? {} : { sub };
  const client = createClient({ url, secret: secret.bytes, timeoutMs: options.timeout, ...who });
  return { client, url, secretFrom: secret.file ?? 'what was given' };
}

async function call(
  what: CommandName | 'state',
  options: CallOptions,
  ask: (client: OperatorClient) => Promise<Answer>,
): Promise<void> {
  const connected = await connect(options);
  const answer = await ask(connected.client);
  const state = await show(what, options, answer, connected);
  if (state === null || options.wait === undefined) return;
  process.exitCode = await waitFor(options.wait, { ...options, ...connected, state, isEnding: what === 'shutdown' });
}

/** Prints the answer and sets the exit code. @returns the state in a 200, else null */
async function show(
  what: CommandName | 'state',
  options: CallOptions,
  answer: Answer,
  { url, secretFrom }: Connected,
): Promise<StateDocument | null> {
  const { status, document } = answer;
  const isNode = status === 200 ? isStateDocument(document) || isPreview(document) : status >= 400;
  process.exitCode = isNode ? exitCodeOf(status) : exitCode('unreachable');
  if (status === 200 && options.dryRun && !isPreview(document)) {
    process.exitCode = exitCode('broken');
    sayError(`The node at ${url} does not support dry runs: it has carried out the command.`);
  } else if (!isNode) {
    sayError(strangerText(answer, { url }));
  } else if (options.output === 'json' && document !== null) {
    sayJson(document, 2);
  } else if (isPreview(document)) {
    say(...previewLines(document));
  } else if (isStateDocument(document)) {
    say(...(what === 'state' ? stateLines(document) : successLines(what, document)));
  } else {
    sayError(...problemLines(answer, { url, secretFrom }));
  }
  return process.exitCode === exitCode('done') && isStateDocument(document) ? document : null;
}

/** Undefined: the system has no name for this user. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
