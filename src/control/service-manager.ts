// What systemd is told, where it started this node: that it is ready, what it does, that it ends, and that it lives.
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../log/log.ts';

export interface ServiceManager {
  /** The node answers. `status` is the line that `systemctl status` shows. */
  ready(status: string): void;
  status(status: string): void;
  /** @param withinMs how long the end may take: systemd is asked for that much patience */
  stopping(status: string, withinMs: number): void;
  /** No more signs of life. */
  end(): void;
}

/** After this long a word that could not be handed over is given up. */
const patienceMs = 5000;

const nobody: ServiceManager = { ready() {}, status() {}, stopping() {}, end() {} };

/**
 * Speaks sd_notify(3) through the command `systemd-notify`, since Node has no unix datagram sockets. It is a child, so
 * the unit needs `NotifyAccess=all`. Where it cannot be run, that is one warning, and the node goes on.
 * @param env whose NOTIFY_SOCKET says that somebody listens, and WATCHDOG_USEC how often a sign of life is wanted
 */
export function serviceManager(env: NodeJS.ProcessEnv, log: Pick<Logger, 'warn'>): ServiceManager {
  if (!env.NOTIFY_SOCKET) return nobody;
  let underWay: Promise<void> = Promise.resolve();
  let hasFailed = false;
  /** The newest status not handed over yet: older ones are of no use to anybody. */
  let nextStatus: string | null = null;

  /** One after the other, as they would arrive in any order otherwise. */
  function tell(words: () => readonly string[]): void {
    underWay = underWay.then(() => handOver(words())).catch(warnOnce);
  }

  function warnOnce(error: unknown): void {
    if (!hasFailed) log.warn(`systemd could not be told what this node does: ${messageOf(error)}`);
    hasFailed = true;
  }

  // Nothing else of our environment, which may hold secrets.
  const { PATH, NOTIFY_SOCKET } = env;
  const options = { env: { PATH, NOTIFY_SOCKET }, stdio: 'ignore', timeout: patienceMs } as const;

  async function handOver(words: readonly string[]): Promise<void> {
    if (words.length > 0) await ended(spawn('systemd-notify', words, options));
  }

  const alive = watchdogMs(env);
  const beating = alive === null ? undefined : setInterval(() => tell(() => ['WATCHDOG=1']), alive / 2).unref();

  return {
    ready: (status) => tell(() => ['READY=1', statusWord(status)]),
    status(status) {
      nextStatus = status;
      tell(() => {
        const word = nextStatus === null ? [] : [statusWord(nextStatus)];
        nextStatus = null;
        return word;
      });
    },
    stopping: (status, withinMs) =>
      tell(() => ['STOPPING=1', statusWord(status), `EXTEND_TIMEOUT_USEC=${Math.ceil(withinMs * 1000)}`]),
    end: () => clearInterval(beating),
  };
}

const statusWord = (status: string): string => `STATUS=${status.replace(/\s+/g, ' ')}`;

/** Null: no sign of life is wanted, or not from this process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const milliseconds = Number(WATCHDOG_USEC) / 1000;
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  return isOurs && milliseconds >= 1 && milliseconds < 2 ** 31 ? milliseconds : null;
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ended with ${signal ?? `code ${code}`}`));
    });
  });
