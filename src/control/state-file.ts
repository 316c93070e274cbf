// The state file: what commands have changed, durable across power loss.
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
   * Call it once, before anything is saved. If the file is corrupt, the returned record keeps the public API stopped.
   * @throws {InputError} for a newer format, or a file or directory that cannot be read
   */
  load(): Promise<DesiredRecord>;
  /**
   * Resolves when the record is on disk. Saves run one after another, in the order of the calls.
   * Rejects with a reason for the operator; the file then has its previous content, unless the disk prevents that.
   * @param signal an aborted save never replaces the file
   */
  save(record: DesiredRecord, signal?: AbortSignal): Promise<void>;
  /** Removes the file; returns whether it existed. */
  reset(): Promise<boolean>;
  /** `StateFileCorrupt`: from the `load` of a corrupt file until a command sets the target of the public API to running. */
  readonly conditions: readonly Condition[];
}

export interface StateFileOptions {
  readonly syncDirectory?: SyncDirectory;
  /** Called before each write; if it throws, nothing is written. */
  readonly confirm?: () => Promise<void>;
}

/** @param directory absolute; `load` creates it if it does not exist */
export function openStateFile(
  directory: string,
  { syncDirectory = directorySync(), confirm = async () => {} }: StateFileOptions = {},
): StateFile {
  const path = join(directory, 'state.json');
  let queue: Promise<unknown> = Promise.resolve();
  /** Bytes of a corrupt file that must be copied before the file is overwritten, and the path of that copy. */
  let unkept: Uint8Array | null = null;
  let kept = '';
  let corrupt: Condition | null = null;

  async function load(): Promise<DesiredRecord> {
    const text = await read();
    if (text === null) return emptyRecord;
    const parsed = parseRecord(path, text);
    if ('record' in parsed) return parsed.record;
    unkept = text;
    // The target state is unknown, so nothing is served until an operator starts it; that also survives the next restart.
    const record: DesiredRecord = { generation: 0, changes: { publicApi: 'stopped' } };
    const outcome = await save(record).then(() => `It was set aside as ${kept}`, messageOf);
    const message = `The state file ${path} is corrupt: ${parsed.error}. ${outcome}. The node starts from its config, with the public API stopped.`;
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

  /** Under a new name, never over an older copy. As long as this fails, nothing is saved. */
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

/** Null: no such file. */
const textAt = (path: string): Promise<Uint8Array | null> =>
  readFile(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is a file',
  EISDIR: 'its path is a directory',
  EIO: 'disk I/O error',
  EMFILE: 'too many open files',
};

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'timed out';
  const code = codeOf(error);
  if (code === undefined) return messageOf(error);
  return `${reasons[code] ?? 'system error'} (${code})`;
}
