// `audit`: shows and filters the audit log, as lines for people or as the stored JSON.
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { commandNames } from '../../machines/commands.ts';
import { InputError, messageOf } from '../base/errors.ts';
import type { AuditLine } from '../operator/audit/audit-read.ts';
import { wholeNumber } from './argument-types.ts';
import { type AuditFilter, auditText, filterOf, parseSince, parseStatus } from './audit-lines.ts';
import { type ConfigOptions, lazyConfig, withConfig } from './config-option.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { examples } from './help.ts';
import { interruptSignal } from './interrupt-signal.ts';
import { say, sayError, sayJson } from './print.ts';

type Shown = Exclude<AuditLine, { readonly torn: string }>;

interface AuditOptions extends AuditFilter, ConfigOptions {
  readonly file?: string;
  readonly last?: number;
  readonly follow?: true;
  readonly output: 'text' | 'json';
}

const help = `${examples(
  ['distributor-node audit', 'all entries'],
  ['distributor-node audit --since 24h --command set-buckets', 'who changed the buckets in the last day'],
  ['distributor-node audit --sub alice --status 200', 'what alice has changed'],
  ['distributor-node audit --status 401 --last 20', 'the latest refused tokens'],
  ['distributor-node audit --follow', 'new entries as they are written'],
  ['distributor-node audit --output json | jq .input'],
)}

${exitCodeHelp()}`;

export const auditCommand = (): Command =>
  withConfig(new Command('audit'))
    .summary('Show the audit log: who sent which command, and the result.')
    .description(
      'Show the audit log, oldest first: every command and every refused token, with its sender, address, input, answer, ' +
        'and the state before and after. The log is read from the disk of this machine; the node need not be running.',
    )
    .option(
      '--since <when>',
      'only entries since a time like 2026-11-23T08:00Z, or since an age like 30m or 7d',
      parseSince,
    )
    .addOption(new Option('--command <name>', 'only this command').choices([...commandNames]))
    .option('--sub <name>', 'only tokens with this sub claim')
    .option('--status <status>', 'only answers with this status: 200, 409, 4xx', parseStatus)
    .addOption(
      new Option('-n, --last <number>', 'only the last entries')
        .argParser(wholeNumber(1, 9_999_999))
        .conflicts('follow'),
    )
    .option('-f, --follow', 'keep printing new entries as they are written')
    .option(
      '--file <file>',
      'the audit log (default: auditLog.path of the config); rotated files beside it are read too',
    )
    .addOption(
      new Option('-o, --output <format>', 'text for people; json: one line per entry')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', help)
    .action(show);

async function show(options: AuditOptions): Promise<void> {
  const { since, last, output } = options;
  const file = options.file ? resolve(options.file) : (await lazyConfig(options)()).auditLog.path;
  const { readAudit } = await import('../operator/audit/audit-read.ts');
  const print = (line: Shown) => (output === 'json' ? sayJson(line) : say(auditText(line)));
  const source = {
    file,
    ...(since !== undefined && { sinceMs: since }),
    ...(options.follow && { follow: interruptSignal() }),
  };
  const matches = filterOf(options);
  const kept: Shown[] = [];
  const counts = { found: 0, torn: 0 };
  try {
    for await (const line of readAudit(source)) {
      counts.found += 1;
      if ('torn' in line) counts.torn += 1;
      else if (!matches(line)) continue;
      else if (last === undefined) print(line);
      else if (kept.push(line) > last) kept.shift();
    }
  } catch (error) {
    throw new InputError(`The audit log ${file} could not be read: ${messageOf(error)}`);
  }
  kept.forEach(print);
  if (counts.found === 0) sayError(`The audit log ${file} is empty`);
  if (counts.torn > 0) sayError(`${counts.torn} lines could not be read: the node was killed while writing them`);
}
