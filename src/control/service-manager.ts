// Notifies systemd, if it started this node: readiness, status, stopping, and the watchdog.
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../log/log.ts';

export interface ServiceManager {
  /** Reports readiness. `status` is the line that `systemctl status` shows. */
  ready(status: string): void;
  status(status: string): void;
  /** @param withinMs how long the shutdown may take: the timeout that systemd is asked for */
  stopping(status: string, withinMs: number): void;
  /** Stops the watchdog notifications. */
  end(): void;
}

/** Timeout of one notification. */
const notifyTimeoutMs = 5000;

const none: ServiceManager = { ready() {}, status() {}, stopping() {}, end() {} };

/**
 * Sends sd_notify(3) messages with the command `systemd-notify`, since Node has no unix datagram sockets. The command is a
 * child process, so the unit needs `NotifyAccess=all`. If it fails, the node logs one warning and continues.
 * @param env NOTIFY_SOCKET: where systemd listens; WATCHDOG_USEC: the watchdog timeout
 */
export function serviceManager(env: NodeJS.ProcessEnv, log: Pick<Logger, 'warn'>): ServiceManager {
  if (!env.NOTIFY_SOCKET) return none;
  let queue: Promise<void> = Promise.resolve();
  let hasFailed = false;
  /** The newest status not sent yet; it replaces older ones. */
  let nextStatus: string | null = null;

  /** One after the other, since parallel child processes would not keep the order. */
  function notify(variables: () => readonly string[]): void {
    queue = queue.then(() => send(variables())).catch(warnOnce);
  }

  function warnOnce(error: unknown): void {
    if (!hasFailed) log.warn(`systemd could not be notified: ${messageOf(error)}`);
    hasFailed = true;
  }

  // Nothing else of the environment, which may contain secrets.
  const { PATH, NOTIFY_SOCKET } = env;
  const options = { env: { PATH, NOTIFY_SOCKET }, stdio: 'ignore', timeout: notifyTimeoutMs } as const;

  async function send(variables: readonly string[]): Promise<void> {
    if (variables.length > 0) await ended(spawn('systemd-notify', variables, options));
  }

  const timeoutMs = watchdogMs(env);
  const watchdog =
    timeoutMs === null ? undefined : setInterval(() => notify(() => ['WATCHDOG=1']), timeoutMs / 2).unref();

  return {
    ready: (status) => notify(() => ['READY=1', statusVariable(status)]),
    status(status) {
      nextStatus = status;
      notify(() => {
        const variables = nextStatus === null ? [] : [statusVariable(nextStatus)];
        nextStatus = null;
        return variables;
      });
    },
    stopping: (status, withinMs) =>
      notify(() => ['STOPPING=1', statusVariable(status), `EXTEND_TIMEOUT_USEC=${Math.ceil(withinMs * 1000)}`]),
    end: () => clearInterval(watchdog),
  };
}

const statusVariable = (status: string): string => `STATUS=${status.replace(/\s+/g, ' ')}`;

/** The watchdog timeout. Null: no watchdog, or not for this process. */
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
