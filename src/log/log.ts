// The log: lines on stderr, for people on a terminal and as JSON elsewhere, and in files; secrets and tokens never reach it.
import { multistream, type Logger as PinoLogger, pino } from 'pino';
import type { Condition } from '../base/condition.ts';
import { printable, printableLines } from '../base/printable.ts';
import type { Config } from '../config/config.ts';
import type { LogLevel } from '../config/keys.ts';
import { LogFile } from './log-file.ts';
import { type LogOut, openLogOut } from './log-output.ts';

export type Logger = PinoLogger<'http'>;

/** Ours, as numbers; `http` is one line for each request. */
const values = { fatal: 60, error: 50, warn: 40, info: 30, http: 25, debug: 20, trace: 10, silent: 99 } as const;

/** The words of the config, the peer's among them, as ours. */
const levels: Readonly<Record<LogLevel, keyof typeof values>> = {
  fatal: 'fatal',
  error: 'error',
  warn: 'warn',
  info: 'info',
  http: 'http',
  verbose: 'debug',
  debug: 'debug',
  trace: 'trace',
  silly: 'trace',
  off: 'silent',
};

const secretMembers = ['authorization', 'hmacSecret', 'secret', 'token', 'password'];

/** All that a JWT may lie within. */
const words = /[\w.-]+/g;
/** What follows the word Bearer. */
const bearers = /(bearer\s+)[\w.~+/-]{8,}=*/gi;

/** Characters of the shortest header that is taken for one. */
const leastHeader = 'eyJ'.length + 5;

const notShown = '(not shown)';
const secrets = new Set<string>();

/** From now on this text is in no line of this process, whoever sent it and wherever it stands. */
export function neverShow(secret: string): void {
  if (secret === '') return;
  secrets.add(secret);
  // As it stands within JSON.
  secrets.add(JSON.stringify(secret).slice(1, -1));
}

/**
 * A word without the JWT that it ends with. It is looked for once in each part: to begin again at every `eyJ` would take
 * quadratic time, and strangers choose the text.
 */
function withoutJwt(word: string): string {
  if (!word.includes('eyJ')) return word;
  const parts = word.split('.');
  const beginIn = (part: string) => (part.length - part.indexOf('eyJ') >= leastHeader ? part.indexOf('eyJ') : -1);
  const header = parts.findIndex((part, at) => beginIn(part) !== -1 && (parts[at + 1] ?? '') !== '');
  if (header === -1) return word;
  const before = parts
    .slice(0, header)
    .map((part) => `${part}.`)
    .join('');
  const part = parts[header] ?? '';
  return `${before}${part.slice(0, beginIn(part))}${notShown}`;
}

/** A text as it may be written down: no JWT in it, nothing that follows the word Bearer, and no secret known to `neverShow`. */
export function withoutTokens(line: string): string {
  let shown = line.replace(words, withoutJwt).replace(bearers, `$1${notShown}`);
  for (const secret of secrets) shown = shown.replaceAll(secret, notShown);
  return shown;
}

/** The beginning of a text of any length, as it may be written down; work is done for that beginning alone. */
export function excerpt(text: string, longest: number): string {
  if (text.length <= longest) return withoutTokens(text);
  let end = longest;
  // Half a secret at the cut would not be known as one.
  for (const secret of secrets) {
    for (let at = Math.max(0, longest - secret.length + 1); at < end; at += 1) {
      if (text.startsWith(secret, at)) end = at;
    }
  }
  return withoutTokens(text.slice(0, end));
}

export interface OpenLog {
  readonly log: Logger;
  /** What is wrong with a destination now. */
  readonly conditions: () => readonly Condition[];
  /** Whether a disk has not answered for long: a thread waits for it, which keeps this process from exiting. */
  readonly isStuck: () => boolean;
  /** Writes what is left. A disk that hangs keeps a process from exiting. */
  close(): Promise<{ readonly isStuck: boolean }>;
}

/** How long the last lines may take. */
const lastLinesMs = 1000;

/** Never rejects for a disk's sake: what is wrong with a log file is a condition. */
export async function openLog({ id, logs }: Pick<Config, 'id' | 'logs'>): Promise<OpenLog> {
  const { file: settings } = logs;
  const file = settings && new LogFile({ ...settings, name: id });
  const outs = [{ level: logs.console.level, out: await stderr() }];
  if (file) outs.push({ level: settings.level, out: file });
  return {
    log: logTo(outs),
    conditions: () => file?.conditions ?? [],
    isStuck: () => file?.isStuck ?? false,
    close: async () => file?.close(lastLinesMs) ?? { isStuck: false },
  };
}

/** A line for each entry, to everyone who wants that level. */
export function logTo(outs: readonly { readonly level: LogLevel; readonly out: LogOut }[]): Logger {
  const streams = outs.map(({ level, out }) => ({ level: values[levels[level]], stream: out }));
  const [most] = outs.map(({ level }) => levels[level]).sort((a, b) => values[a] - values[b]);
  return pino(
    {
      level: most ?? 'silent',
      customLevels: { http: values.http },
      base: null,
      redact: {
        paths: secretMembers.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: notShown,
      },
      hooks: { streamWrite: withoutTokens },
    },
    multistream(streams),
  );
}

/** An entry of which no text can steer a terminal: strangers' words are among them. */
export const forTerminal = (line: string): object =>
  JSON.parse(line, (key, value) => {
    if (typeof value !== 'string') return value;
    return key === 'stack' ? printableLines(value) : printable(value);
  });

/** pino-pretty is loaded only where someone is looking. */
async function stderr(): Promise<LogOut> {
  const out = openLogOut(process.stderr);
  if (!process.stderr.isTTY) return out;
  const { default: pretty } = await import('pino-pretty');
  const format = pretty.prettyFactory({
    colorize: process.stderr.hasColors(),
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
    customLevels: { http: values.http },
    useOnlyCustomProps: false,
  });
  return { write: (line) => out.write(format(forTerminal(line))) };
}
