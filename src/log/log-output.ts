// Writes log lines to a file descriptor without ever blocking on its reader.
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { codeOf } from '../base/errors.ts';
import { LogBacklog } from './log-backlog.ts';

export interface LogOut {
  write(line: string): void;
}

const retryMs = 50;
/** Longest wait at exit for a write to a file. */
const stuckMs = 1000;

/**
 * A pipe without a reader, a stopped terminal (Ctrl-S) or a hung disk must block neither the event loop nor an exit, so
 * unwritten lines are queued, up to a MiB, and retried; further lines are dropped and counted. A full disk or a closed pipe
 * only loses lines.
 * @param stream `process.stderr`: Node has made the descriptor of a pipe non-blocking, so a write accepts as much as fits
 */
export function openLogOut({ fd, isTTY = false }: { readonly fd: number; readonly isTTY?: boolean }): LogOut {
  if (isFile(fd)) return openFileOut(fd);
  const target = isTTY ? nonBlocking(fd) : fd;
  const backlog = new LogBacklog();
  let timer: NodeJS.Timeout | undefined;

  function flushSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!flush(target, backlog)) flushSoon();
    }, retryMs).unref();
  }

  process.on('exit', () => flush(target, backlog));
  return {
    write(line) {
      backlog.add(line);
      if (timer === undefined && !flush(target, backlog)) flushSoon();
    },
  };
}

/** Files cannot be non-blocking: a write waits in another thread. */
function openFileOut(fd: number): LogOut {
  const backlog = new LogBacklog();
  let since: number | null = null;

  function begin(): void {
    if (since !== null || backlog.isEmpty) return;
    since = performance.now();
    const bytes = backlog.take();
    write(fd, bytes, (error, written) => {
      since = null;
      if (!error) backlog.putBack(bytes.subarray(written));
      begin();
    });
  }

  process.on('exit', () => {
    if (since === null || performance.now() - since < stuckMs) flush(fd, backlog);
  });
  return {
    write(line) {
      backlog.add(line);
      begin();
    },
  };
}

/** Writes as much as the descriptor accepts. @returns whether that was everything */
function flush(fd: number, backlog: LogBacklog): boolean {
  const bytes = backlog.take();
  try {
    for (let done = 0; done < bytes.length; ) {
      const written = taken(fd, bytes.subarray(done));
      if (written === 0) {
        backlog.putBack(bytes.subarray(done));
        return false;
      }
      done += written;
    }
  } catch {
    // The log itself failed: there is no place to report it.
  }
  return true;
}

/** @returns the bytes written; 0: the descriptor accepts none now */
function taken(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Node makes terminals blocking. A second, non-blocking descriptor leaves that of the shell unchanged. */
function nonBlocking(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}
