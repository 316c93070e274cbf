// The log: on stderr, as text on a terminal and as JSON elsewhere, and in files. Secrets and tokens are removed.
import { multistream, type Logger as PinoLogger, pino } from 'pino';
import type { Condition } from '../base/condition.ts';
import { printable, printableLines } from '../base/printable.ts';
import type { Config } from '../config/config.ts';
import type { LogLevel } from '../config/keys.ts';
import { LogFile } from './log-file.ts';
import { type LogOut, openLogOut } from './log-output.ts';

export type Logger = PinoLogger<'http'>;

/** Our levels as numbers; `http` is one line for each request. */
const values = { fatal: 60, error: 50, warn: 40, info: 30, http: 25, debug: 20, trace: 10, silent: 99 } as const;

/** The levels of the config, including the peer's, as ours. */
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

/** The characters of a JWT. */
const words = /[\w.-]+/g;
/** A token after the word Bearer. */
const bearers = /(bearer\s+)[\w.~+/-]{8,}=*/gi;

/** Length of the shortest JWT header that is recognised. */
const leastHeader = 'eyJ'.length + 5;

const notShown = '(not shown)';
const secrets = new Set<string>();

/** From now on this text is removed from every line of this process. */
export function neverShow(secret: string): void {
  if (secret === '') return;
  secrets.add(secret);
  // As escaped in JSON.
  secrets.add(JSON.stringify(secret).slice(1, -1));
}

/**
 * A word without the JWT at its end. Each part is searched once: restarting at every `eyJ` would take quadratic time, on
 * text chosen by clients.
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

/** A text without JWTs, tokens after the word Bearer, and secrets known to `neverShow`. */
export function withoutTokens(line: string): string {
  let shown = line.replace(words, withoutJwt).replace(bearers, `$1${notShown}`);
  for (const secret of secrets) shown = shown.replaceAll(secret, notShown);
  return shown;
}

/** The start of a text, redacted; the cost does not depend on the rest. */
export function excerpt(text: string, longest: number): string {
  if (text.length <= longest) return withoutTokens(text);
  let end = longest;
  // Half a secret at the cut would not be recognised.
  for (const secret of secrets) {
    for (let at = Math.max(0, longest - secret.length + 1); at < end; at += 1) {
      if (text.startsWith(secret, at)) end = at;
    }
  }
  return withoutTokens(text.slice(0, end));
}

export interface OpenLog {
  readonly log: Logger;
  /** Conditions of the destinations. */
  readonly conditions: () => readonly Condition[];
  /** Whether a disk hangs: a thread waits for it and keeps this process from exiting. */
  readonly isStuck: () => boolean;
  /** Writes the queued lines. A hung disk keeps the process from exiting. */
  close(): Promise<{ readonly isStuck: boolean }>;
}

/** Timeout for the last lines. */
const lastLinesMs = 1000;

/** Never rejects because of a disk: a failing log file is a condition. */
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

/** Sends each entry to every destination that has its level enabled. */
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

/** Escapes control characters in every text of an entry: some texts come from clients. */
export const forTerminal = (line: string): object =>
  JSON.parse(line, (key, value) => {
    if (typeof value !== 'string') return value;
    return key === 'stack' ? printableLines(value) : printable(value);
  });

/** pino-pretty is loaded only for a terminal. */
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
