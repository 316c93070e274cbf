// Where log lines go: a file descriptor, written to without ever waiting for whoever reads it.
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { codeOf } from '../base/errors.ts';
import { LogBacklog } from './log-backlog.ts';

export interface LogOut {
  write(line: string): void;
}

const retryMs = 50;
/** A write to a file that takes longer than this is not waited for at the exit. */
const stuckMs = 1000;

/**
 * A pipe that nobody empties, a terminal that was stopped (Ctrl-S) and a disk that hangs must stop neither the event loop
 * nor an exit, so what is not taken is kept, up to a MiB, and tried again; more is dropped and counted. A disk that is full
 * or a pipe that is closed loses lines, no more.
 * @param stream `process.stderr`: node has made the descriptor of a pipe non-blocking, so a write takes what there is room for
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

/** Files have no way to say that they take nothing now: another thread waits for them. */
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

/** Writes what is taken; whether that was all. */
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
    // Nobody is left to be told.
  }
  return true;
}

/** Bytes that were taken; 0: none for now. */
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

/** Node makes terminals block. Opened once more, ours does not, and that of the shell stays as it was. */
function nonBlocking(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}
