// The log: lines on stderr, for people on a terminal and as JSON elsewhere; secrets and tokens never reach it.
import { type Level, type Logger, pino } from 'pino';
import type { LogLevel } from './config/keys.ts';
import { type LogOut, openLogOut } from './log-out.ts';

export type { Logger } from 'pino';

/** The words of the config, the peer's among them, as pino's. */
const levels: Readonly<Record<LogLevel, Level | 'silent'>> = {
  fatal: 'fatal',
  error: 'error',
  warn: 'warn',
  info: 'info',
  http: 'info',
  verbose: 'debug',
  debug: 'debug',
  trace: 'trace',
  silly: 'trace',
  off: 'silent',
};

const secretMembers = ['authorization', 'hmacSecret', 'secret', 'token', 'password'];

/** A JWT, and whatever follows the word Bearer: caught also where it lies within a message. */
const tokens = /eyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?|(?<=\bbearer\s+)[\w.~+/-]{8,}=*/gi;

export const withoutTokens = (line: string): string => line.replace(tokens, '(not shown)');

/** @param out stderr where left out */
export async function createLog(level: LogLevel, out?: LogOut): Promise<Logger> {
  return pino(
    {
      level: levels[level],
      base: null,
      redact: {
        paths: secretMembers.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '(not shown)',
      },
      hooks: { streamWrite: withoutTokens },
    },
    out ?? (await stderr()),
  );
}

/** pino-pretty is loaded only where someone is looking. */
async function stderr(): Promise<LogOut> {
  const out = openLogOut(process.stderr);
  if (!process.stderr.isTTY) return out;
  const { default: pretty } = await import('pino-pretty');
  const format = pretty.prettyFactory({ colorize: process.stderr.hasColors(), translateTime: 'HH:MM:ss.l' });
  return { write: (line) => out.write(format(line)) };
}
