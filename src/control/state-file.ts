// The state file: what commands have changed, kept so that it survives the power plug.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DesiredRecord, emptyRecord } from '../../machines/settings.ts';
import { writeFileAtomically, writeSynced } from '../base/atomic-file.ts';
import { type Condition, condition } from '../base/condition.ts';
import { codeOf, InputError, messageOf } from '../base/errors.ts';
import { directorySync, type SyncDirectory } from '../base/sync-directory.ts';
import { formatRecord, parseRecord } from './state-format.ts';

export interface StateFile {
  readonly path: string;
  /**
   * Read it once, before anything is saved. Where it cannot be understood, the record keeps the public API stopped.
   * @throws {InputError} a newer format, or a file or directory that cannot be read
   */
  load(): Promise<DesiredRecord>;
  /**
   * Resolves when the record is on disk. Saves go one after another, in the order of the calls.
   * Rejects with the operator's reason; the file then holds what it held before, as far as the disk lets it.
   * @param signal an aborted save never puts its record in place
   */
  save(record: DesiredRecord, signal?: AbortSignal): Promise<void>;
  /** Drop it; whether there was one. */
  reset(): Promise<boolean>;
  /** `StateFileCorrupt`, from a `load` that could not understand the file until somebody wants the public API running. */
  readonly conditions: readonly Condition[];
}

export interface StateFileOptions {
  readonly syncDirectory?: SyncDirectory;
  /** Called before anything is written; if it throws, nothing is written. */
  readonly confirm?: () => Promise<void>;
}

/** @param directory absolute; made by `load` where it is not there */
export function openStateFile(
  directory: string,
  { syncDirectory = directorySync(), confirm = async () => {} }: StateFileOptions = {},
): StateFile {
  const path = join(directory, 'state.json');
  let queue: Promise<unknown> = Promise.resolve();
  /** Bytes of a corrupt file that have still to be kept before it may be written over, and where they were. */
  let unkept: Uint8Array | null = null;
  let kept = '';
  let corrupt: Condition | null = null;

  async function load(): Promise<DesiredRecord> {
    const text = await read();
    if (text === null) return emptyRecord;
    const parsed = parseRecord(path, text);
    if ('record' in parsed) return parsed.record;
    unkept = text;
    // What was wanted is not known, so nothing is served before someone says so; that outlives the next restart, too.
    const record: DesiredRecord = { generation: 0, changes: { publicApi: 'stopped' } };
    const outcome = await save(record).then(() => `It was set aside as ${kept}`, messageOf);
    const message = `The state file ${path} could not be understood: ${parsed.fault}. ${outcome}. The node starts from its config, with the public API stopped.`;
    corrupt = condition('StateFileCorrupt', 'Corrupt', message);
    return record;
  }

  async function read(): Promise<Uint8Array | null> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return await textAt(path);
    } catch (error) {
      throw new InputError(`The state file ${path} could not be read: ${reasonOf(error)}`);
    }
  }

  function save(record: DesiredRecord, signal?: AbortSignal): Promise<void> {
    const turn = queue.then(() => replace(formatRecord(record), signal));
    queue = turn.catch(() => {});
    return turn.then(
      () => {
        if (record.changes.publicApi === 'running') corrupt = null;
      },
      (error: unknown) => {
        throw new Error(`The state file ${path} could not be written: ${reasonOf(error)}`, { cause: error });
      },
    );
  }

  async function replace(text: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await confirm();
    await keepCorrupt();
    const before = await textAt(path);
    try {
      await writeFileAtomically(path, text, { syncDirectory, signal });
      signal?.throwIfAborted();
    } catch (error) {
      await putBack(before).catch(() => {});
      throw error;
    }
  }

  /** Under a name of its own, never over an older one. While that fails nothing is saved. */
  async function keepCorrupt(): Promise<void> {
    const bytes = unkept;
    if (bytes === null) return;
    const stamp = new Date().toISOString().replaceAll(':', '-');
    for (let copy = 0; ; copy += 1) {
      const name = `${path}.corrupt-${stamp}${copy === 0 ? '' : `-${copy}`}`;
      try {
        await writeSynced(name, 'wx', bytes);
        kept = name;
        unkept = null;
        return;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') continue;
        await rm(name, { force: true }).catch(() => {});
        throw error;
      }
    }
  }

  /** Nothing to do where the write failed before its rename. */
  async function putBack(before: Uint8Array | null): Promise<void> {
    const now = await textAt(path);
    if (now === null ? before === null : before !== null && Buffer.compare(now, before) === 0) return;
    if (before !== null) return writeFileAtomically(path, before, { syncDirectory });
    await rm(path, { force: true });
    await syncDirectory(directory);
  }

  async function reset(): Promise<boolean> {
    const there = existsSync(path);
    await rm(path, { force: true });
    await rm(`${path}.tmp`, { force: true });
    if (there) await syncDirectory(directory);
    return there;
  }

  return {
    path,
    load,
    save,
    reset,
    get conditions() {
      return corrupt === null ? [] : [corrupt];
    },
  };
}

/** Null: there is none. */
const textAt = (path: string): Promise<Uint8Array | null> =>
  readFile(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'its directory is gone',
  ENOTDIR: 'its directory has become a file',
  EISDIR: 'there is a directory in its place',
  EIO: 'the disk does not work',
  EMFILE: 'too many files are open',
};

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'it took too long';
  const code = codeOf(error);
  if (code === undefined) return messageOf(error);
  return `${words[code] ?? 'an error of the system'} (${code})`;
}
