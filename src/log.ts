// The log: lines on stderr, for people on a terminal and as JSON elsewhere; secrets and tokens never reach it.
import { type DestinationStream, destination, type Level, type Logger, pino } from 'pino';
import type { LogLevel } from './config/keys.ts';

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

/**
 * Writing never blocks the event loop on a pipe that nobody reads, nor fails it: what does not fit is dropped.
 * @param out stderr where left out
 */
export async function createLog(level: LogLevel, out?: DestinationStream): Promise<Logger> {
  return pino(
    {
      level: levels[level],
      base: null,
      redact: {
        paths: secretMembers.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '(not shown)',
      },
      hooks: { streamWrite: (line) => line.replace(tokens, '(not shown)') },
    },
    out ?? (process.stderr.isTTY ? await terminal() : stderrInBackground()),
  );
}

/** pino-pretty is loaded only where someone is looking. */
async function terminal(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  const format = pretty.prettyFactory({ colorize: process.stderr.hasColors(), translateTime: 'HH:MM:ss.l' });
  return { write: (line) => void process.stderr.write(format(line)) };
}

const longestBacklogBytes = 1_048_576;

function stderrInBackground(): DestinationStream {
  const stream = destination({ fd: 2, sync: false, maxLength: longestBacklogBytes });
  stream.on('error', () => {});
  return stream;
}

/** What is still to be written, or at most this long: a reader that has gone to sleep must not hold an exit. */
export function flushLog(log: Logger, patienceMs = 500): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    log.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
