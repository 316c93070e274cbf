// Where log lines go: a file descriptor, written to without ever waiting for whoever reads it.
import { writeSync } from 'node:fs';
import { codeOf } from './errors.ts';

export interface LogOut {
  write(line: string): void;
}

const longestBacklogBytes = 1_048_576;
const retryMs = 50;

/**
 * A pipe that nobody empties must stop neither the event loop nor an exit, so what it does not take is kept, up to a
 * MiB, and tried again; more is dropped and counted. A disk that is full or a pipe that is closed loses lines, no more.
 * @param stream `process.stderr`: node has made its descriptor non-blocking, so a write takes what there is room for
 */
export function openLogOut({ fd }: { readonly fd: number }): LogOut {
  let backlog: Buffer[] = [];
  let backlogBytes = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;

  function keep(rest: Buffer): void {
    backlog.push(rest);
    backlogBytes += rest.length;
  }

  /** Writes what it can; whether that was all. */
  function flush(): boolean {
    const bytes = Buffer.concat(backlog);
    backlog = [];
    backlogBytes = 0;
    try {
      for (let done = 0; done < bytes.length; ) {
        const written = taken(fd, bytes.subarray(done));
        if (written === 0) {
          keep(bytes.subarray(done));
          return false;
        }
        done += written;
      }
    } catch {
      // Nobody is left to be told.
    }
    return true;
  }

  function flushSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!flush()) flushSoon();
    }, retryMs).unref();
  }

  process.on('exit', flush);
  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (backlogBytes + bytes.length > longestBacklogBytes) {
        dropped += 1;
        return;
      }
      if (dropped > 0 && backlogBytes === 0) {
        keep(
          Buffer.from(`${JSON.stringify({ level: 40, time: Date.now(), dropped, msg: 'log lines were dropped' })}\n`),
        );
        dropped = 0;
      }
      keep(bytes);
      if (timer === undefined && !flush()) flushSoon();
    },
  };
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
