// The lock on a state directory: one node at a time, given back when its owner dies, however it dies.
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Condition, condition } from '../base/condition.ts';
import { codeOf, InputError, messageOf } from '../base/errors.ts';
import { tryLock } from './file-lock.ts';
import { holderWords, noteHolder } from './lock-holder.ts';

export interface Lock {
  /**
   * To be asked before something is written at the directory's path.
   * @throws {Error} where another directory stands there, which another node may have locked
   */
  confirm(): Promise<void>;
  /** Look every so often; `onChange` is called when the conditions are others than before. */
  watch(everyMs: number, onChange: () => void): void;
  /** `StateDirectoryReplaced`, as of the last look. */
  readonly conditions: readonly Condition[];
  release(): Promise<void>;
}

type Place = 'ours' | 'replaced' | 'gone';

/**
 * Make the directory if need be and lock a file in it. Only those can who may write there: the file is for its owner
 * alone. Its descriptor is closed in every child, so servers that outlive their node do not keep the next one out.
 * @throws {InputError} when another process holds it, naming its pid where that can be learned
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  const path = join(directory, 'lock');
  const file = await lockedFile(directory, path);
  let place: Place = 'ours';
  let watching: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    place = (await isAt(path, file)) ? 'ours' : (await isFolder(directory)) ? 'replaced' : 'gone';
  }

  return {
    async confirm() {
      await look();
      if (place === 'replaced') throw new Error('the directory is not the one that this node has locked');
    },
    watch(everyMs, onChange) {
      const next = () => {
        watching = setTimeout(async () => {
          const before = place;
          await look().catch(() => {});
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
      // With the lock held: a file that another node makes in its place is that node's.
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
      // Else the node that held it has ended and taken the file away, after it was opened here.
      if (await isAt(path, file)) {
        // A full disk costs the hint, not the start.
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
      // One that was copied here may be open to others, who could then keep the next node out.
      await file.chmod(0o600).catch(() => {});
      return file;
    }
    const holder = await holderWords(file);
    throw new InputError(
      `The state directory ${directory} is in use by another node${holder}: stop that one, or give this one its own directories.state`,
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

/** Null: there is no such file, or no such directory. */
const unlessGone = (path: string): Promise<BigIntStats | null> =>
  stat(path, { bigint: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return null;
    throw error;
  });

function conditionSources(directory: string, place: Place): Condition[] {
  const whatToDo = 'Put back the one that this node was started with, or restart the node.';
  if (place === 'gone') {
    return [condition('StateDirectoryReplaced', 'Gone', `The state directory ${directory} is gone. ${whatToDo}`)];
  }
  if (place === 'replaced') {
    const message = `The state directory ${directory}, or its lock file, was replaced: another node can be started on it, so this one saves nothing there. ${whatToDo}`;
    return [condition('StateDirectoryReplaced', 'Replaced', message)];
  }
  return [];
}
