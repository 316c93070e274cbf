// Reads an audit log: all files in order, torn lines included, and optionally new lines as they are written.
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../base/errors.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { LostEntries } from './audit-file.ts';
import { olderFiles } from './audit-folder.ts';
import { refusalsBeside } from './audit-refusals.ts';

/** A line of the log; `torn`: a line that is not a valid entry. */
export type AuditLine = AuditEntry | LostEntries | { readonly torn: string };

export interface ReadOptions {
  readonly file: string;
  /** Files rotated before this are not opened. Milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Follow new entries until the signal is aborted. */
  readonly follow?: AbortSignal;
}

const pollMs = 200;

/**
 * Every line of the audit log and of its log of refusals, oldest first, even if files are rotated during the read.
 * @throws {Error} with the system's code, if a file cannot be read
 */
export const readAudit = ({ file, ...options }: ReadOptions): AsyncGenerator<AuditLine> =>
  inOrder(
    [file, refusalsBeside(file)].map((one) => linesOf({ file: one, ...options })),
    (line) => ('at' in line ? line.at : ''),
  );

/** `null`: no more lines for now. */
type Lines<T> = AsyncGenerator<T | null>;

/**
 * Merges logs by time; each keeps its own order.
 * @param timeOf ISO 8601, which sorts by time; a line with '' comes first
 */
async function* inOrder<T>(logs: readonly Lines<T>[], timeOf: (line: T) => string): AsyncGenerator<T> {
  const open = new Set(logs);
  const heads = new Map<Lines<T>, T | null>();
  try {
    while (open.size > 0) {
      // Concurrently, so that logs waiting for new lines do not add up their waits.
      await Promise.all(
        [...open].map(async (log) => {
          if (heads.has(log)) return;
          const { done, value } = await log.next();
          if (done) open.delete(log);
          else heads.set(log, value);
        }),
      );
      const [first] = [...heads]
        .flatMap(([log, line]) => (line === null ? [] : [{ log, line }]))
        .sort((a, b) => (timeOf(a.line) < timeOf(b.line) ? -1 : timeOf(a.line) > timeOf(b.line) ? 1 : 0));
      if (first === undefined) heads.clear();
      else {
        heads.delete(first.log);
        yield first.line;
      }
    }
  } finally {
    await Promise.all(logs.map((log) => log.return(undefined)));
  }
}

async function* linesOf({ file, sinceMs = 0, follow }: ReadOptions): Lines<AuditLine> {
  const done = new Set<string>();
  for (let isNew = true; isNew || (follow && !follow.aborted); ) {
    isNew = false;
    const setAside = await olderFiles(file);
    const older = setAside.filter(({ endedMs }) => endedMs >= sinceMs);
    for (const path of [...older.map((one) => one.path), file]) {
      const source = await sourceAt(path);
      if (source === null) continue;
      try {
        if (done.has(source.identity)) continue;
        isNew = true;
        // Files rotated since the listing above come before this one.
        if (path === file && (await olderFiles(file)).at(-1)?.path !== setAside.at(-1)?.path) continue;
        yield* follow && path === file ? followed(source, file, follow) : source.lines();
        yield* source.rest();
        done.add(source.identity);
      } finally {
        await source.close();
      }
    }
    if (!follow || isNew) continue;
    yield null;
    await pause(follow);
  }
}

async function* followed(source: Source, file: string, signal: AbortSignal): Lines<AuditLine> {
  for (let isCurrent = true; isCurrent; ) {
    yield* source.lines();
    yield null;
    await pause(signal);
    if (signal.aborted) return;
    const current = await sourceAt(file);
    await current?.close();
    isCurrent = current?.identity === source.identity;
  }
  // The file was rotated and is complete.
  yield* source.lines();
}

const pause = (signal: AbortSignal): Promise<void> => sleep(pollMs, undefined, { signal }).catch(() => {});

async function sourceAt(path: string): Promise<Source | null> {
  try {
    const handle = await open(path, 'r');
    const { ino, birthtimeMs } = await handle.stat();
    return new Source(handle, `${ino} ${birthtimeMs}`);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

class Source {
  /** Identifies the file under any name; not reused for a later file. */
  readonly identity: string;
  readonly #handle: FileHandle;
  /** The start of an incomplete line. */
  #rest: Buffer[] = [];

  constructor(handle: FileHandle, identity: string) {
    this.#handle = handle;
    this.identity = identity;
  }

  /** The complete lines not read yet. */
  async *lines(): AsyncGenerator<AuditLine> {
    for (;;) {
      const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(65_536), 0, 65_536);
      if (bytesRead === 0) return;
      const bytes = buffer.subarray(0, bytesRead);
      const end = bytes.lastIndexOf(0x0a) + 1;
      if (end > 0) {
        const whole = Buffer.concat([...this.#rest, bytes.subarray(0, end)]);
        this.#rest = [];
        for (const line of whole.toString().split('\n')) if (line !== '') yield parsed(line);
      }
      this.#rest.push(bytes.subarray(end));
    }
  }

  /** The last line, if it is incomplete. */
  *rest(): Generator<AuditLine> {
    const rest = Buffer.concat(this.#rest).toString();
    if (rest !== '') yield parsed(rest);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function parsed(line: string): AuditLine {
  try {
    const value: unknown = JSON.parse(line);
    if (isEntry(value)) return value;
  } catch {
    // Not an entry.
  }
  return { torn: line };
}

/** By the members that every version has written. */
function isEntry(value: unknown): value is AuditEntry | LostEntries {
  const { at, lost, status, method } = (value ?? {}) as Partial<AuditEntry & LostEntries>;
  if (typeof at !== 'string') return false;
  return typeof lost === 'number' || (typeof status === 'number' && typeof method === 'string');
}
