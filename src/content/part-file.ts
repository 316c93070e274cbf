// The file of a copy whose bytes are arriving: written and hashed in order, then renamed.
import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileFacts, factsOf } from '../../machines/answer.ts';
import { type BytesHasher, openBytesHasher } from '../base/content-hash.ts';
import { codeOf } from '../base/errors.ts';
import { signatureBytes } from '../base/media-type.ts';

/** Chunk size for hashing the bytes of an earlier download. */
const bytesAtOnce = 1_048_576;

const resumeFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #hasher: BytesHasher;
  readonly #first: Buffer[] = [];
  #received = 0;

  private constructor(path: string, handle: FileHandle, hasher: BytesHasher) {
    this.path = path;
    this.#handle = handle;
    this.#hasher = hasher;
  }

  /**
   * @param resume maximum size of an existing file that is continued; 0: a new file replaces it
   * @throws system errors
   */
  static async open(path: string, resume: number, signal: AbortSignal): Promise<PartFile> {
    await mkdir(dirname(path), { recursive: true });
    const hasher = await openBytesHasher();
    const earlier = resume > 0 ? await openEarlier(path, resume) : null;
    if (earlier === null) {
      // Not truncated: responses may still follow the file of a failed download.
      await removeFile(path);
      return new PartFile(path, await open(path, 'wx+', 0o644), hasher);
    }
    const part = new PartFile(path, earlier.handle, hasher);
    try {
      await part.#readEarlier(earlier.bytes, signal);
    } catch (error) {
      await part.close();
      throw error;
    }
    return part;
  }

  /** Bytes in the file. */
  get received(): number {
    return this.#received;
  }

  /** The first bytes: those that decide the type. */
  get first(): Buffer {
    return Buffer.concat(this.#first).subarray(0, signatureBytes);
  }

  /** @throws system errors; the file cannot be used after one */
  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.byteLength; ) {
      const at = this.#received + done;
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.byteLength - done, at);
      if (bytesWritten === 0) throw Object.assign(new Error('The disk accepts no more bytes'), { code: 'ENOSPC' });
      done += bytesWritten;
    }
    this.#add(chunk);
  }

  /** Call once, after the last byte. @returns the hash of all bytes. @throws system errors */
  async finish(): Promise<string> {
    await this.#handle.sync();
    return this.#hasher.hash();
  }

  /** @returns the facts of the renamed file. @throws system errors */
  async renameTo(path: string): Promise<FileFacts> {
    await rename(this.path, path);
    return factsOf(await this.#handle.stat());
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #add(chunk: Uint8Array): void {
    if (this.#received < signatureBytes) this.#first.push(Buffer.from(chunk.subarray(0, signatureBytes)));
    this.#hasher.update(chunk);
    this.#received += chunk.byteLength;
  }

  async #readEarlier(bytes: number, signal: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(bytes, bytesAtOnce));
    while (this.#received < bytes) {
      signal.throwIfAborted();
      const length = Math.min(buffer.length, bytes - this.#received);
      const { bytesRead } = await this.#handle.read(buffer, 0, length, this.#received);
      if (bytesRead === 0) break;
      this.#add(buffer.subarray(0, bytesRead));
    }
  }
}

/** Null: there is no usable file of an earlier download. */
async function openEarlier(path: string, resume: number): Promise<{ handle: FileHandle; bytes: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, resumeFlags);
  } catch {
    return null;
  }
  const stats: Stats = await handle.stat();
  if (stats.isFile() && stats.size > 0 && stats.size <= resume) return { handle, bytes: stats.size };
  await handle.close();
  return null;
}

/** Removes a file; a missing file is not an error. @throws other system errors */
export const removeFile = (path: string): Promise<void> => unlink(path).catch(ignoreMissing);

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
