// Watches one file by polling; reports a change once the file is stable.
import { statSync } from 'node:fs';
import { codeOf } from '../../base/errors.ts';

export interface FileWatch {
  /** Reports again without a change, e.g. because the file could not be read. */
  again(): void;
  stop(): void;
}

/** A change counts when two polls this far apart agree: writing a file takes several steps, replacing it two. */
const settleMs = 250;

/**
 * Polling works on every file system, across renames and while the file is absent.
 * @param onChange also called when the file has been removed and stays absent
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
    // The listener may have called `stop`.
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

/** A fingerprint of the file's state. */
function lookOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch (error) {
    return codeOf(error) ?? 'unknown';
  }
}
