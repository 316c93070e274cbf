// The lock on a state directory: one node at a time; the kernel releases it when the node's process ends for any reason.
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Condition, condition } from '../base/condition.ts';
import { codeOf, InputError, messageOf } from '../base/errors.ts';
import { tryLock } from './file-lock.ts';
import { describeHolder, noteHolder } from './lock-holder.ts';

export interface Lock {
  /**
   * Call it before writing at the directory's path.
   * @throws {Error} where the path now names another directory, which another node may have locked
   */
  confirm(): Promise<void>;
  /** Checks periodically; calls `onChange` when the conditions have changed. */
  watch(everyMs: number, onChange: () => void): void;
  /** `StateDirectoryReplaced`, as of the last check. */
  readonly conditions: readonly Condition[];
  release(): Promise<void>;
}

type Place = 'ours' | 'replaced' | 'gone';

/**
 * Creates the directory if necessary and locks a file in it. The file has mode 0600, so other users cannot lock it. Child
 * processes do not inherit its descriptor, so server processes that outlive their node do not block the next one.
 * @throws {InputError} when another process holds the lock, with its pid if known
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  const path = join(directory, 'lock');
  const file = await lockedFile(directory, path);
  let place: Place = 'ours';
  let watching: NodeJS.Timeout | undefined;

  async function check(): Promise<void> {
    place = (await isAt(path, file)) ? 'ours' : (await isFolder(directory)) ? 'replaced' : 'gone';
  }

  return {
    async confirm() {
      await check();
      if (place === 'replaced') throw new Error('the directory is not the one that this node has locked');
    },
    watch(everyMs, onChange) {
      const next = () => {
        watching = setTimeout(async () => {
          const before = place;
          await check().catch(() => {});
          if (watching === undefined) return;
          if (place !== before) onChange();
          next();
        }, everyMs).unref();
      };
      next();
    },
    get conditions() {
      return conditionSources(directory, place);
    },
    async release() {
      clearTimeout(watching);
      watching = undefined;
      // Unlinked while locked: a lock file that another node creates there is not touched.
      if (await isAt(path, file).catch(() => false)) await unlink(path).catch(() => {});
      await file.close();
    },
  };
}

async function lockedFile(directory: string, path: string): Promise<FileHandle> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (;;) {
      const file = await lockAt(directory, path);
      // Otherwise the previous holder removed the file after it was opened here.
      if (await isAt(path, file)) {
        // On a full disk the hint is lost, but the node starts.
        await noteHolder(file).catch(() => {});
        return file;
      }
      await file.close();
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`The state directory ${directory} cannot be used: ${messageOf(error)}`);
  }
}

async function lockAt(directory: string, path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    if (tryLock(file.fd)) {
      // A copied lock file may be writable by other users, who could then block the next node.
      await file.chmod(0o600).catch(() => {});
      return file;
    }
    const holder = await describeHolder(file);
    throw new InputError(
      `The state directory ${directory} is in use by another node${holder}: stop that node, or set another directories.state for this one`,
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [there, own] = await Promise.all([unlessGone(path), file.stat({ bigint: true })]);
  return there?.dev === own.dev && there.ino === own.ino;
}

const isFolder = async (path: string): Promise<boolean> => (await unlessGone(path))?.isDirectory() === true;

/** Null: no such file or directory. */
const unlessGone = (path: string): Promise<BigIntStats | null> =>
  stat(path, { bigint: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return null;
    throw error;
  });

function conditionSources(directory: string, place: Place): Condition[] {
  const action = 'Restore the directory that this node was started with, or restart the node.';
  if (place === 'gone') {
    return [condition('StateDirectoryReplaced', 'Gone', `The state directory ${directory} is gone. ${action}`)];
  }
  if (place === 'replaced') {
    const message = `The state directory ${directory}, or its lock file, was replaced: another node could start on it, so this one saves nothing there. ${action}`;
    return [condition('StateDirectoryReplaced', 'Replaced', message)];
  }
  return [];
}
