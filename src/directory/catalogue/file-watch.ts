// Watches one file by looking at it now and then; tells of a change once the file has been left alone for a moment.
import { statSync } from 'node:fs';
import { codeOf } from '../../base/errors.ts';

export interface FileWatch {
  /** Tell again although nothing has changed, e.g. because the file could not be read. */
  again(): void;
  stop(): void;
}

/** A change counts when it looks the same twice this far apart: writing a file takes several steps, replacing it two. */
const settleMs = 250;

/**
 * Polls, for that works on every file system, through renames and where the file is absent for a while.
 * @param onChange also called when the file has gone, and stayed away
 */
export function watchFile(file: string, everyMs: number, onChange: () => void): FileWatch {
  let settled: string | null = lookOf(file);
  let candidate: string | null = null;
  let stopped = false;
  let timer = setTimeout(look, everyMs);

  function look(): void {
    const now = lookOf(file);
    let nextMs = everyMs;
    if (now === settled) {
      candidate = null;
    } else if (now === candidate) {
      settled = now;
      candidate = null;
      onChange();
    } else {
      candidate = now;
      nextMs = Math.min(settleMs, everyMs);
    }
    // The listener may have had enough.
    if (!stopped) timer = setTimeout(look, nextMs);
  }

  return {
    again: () => {
      settled = null;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** A text that differs when the file does. */
function lookOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch (error) {
    return codeOf(error) ?? 'unknown';
  }
}
