// Content hashes: BLAKE3-256 of an object's bytes as a multihash, written in base58btc without a prefix.
import { fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBLAKE3 } from 'hash-wasm';
import { base58btc } from 'multiformats/bases/base58';
import * as Digest from 'multiformats/hashes/digest';
import { type FileFacts, factsOf, sameFacts } from '../../machines/answer.ts';
import { assertListed, listedFlags } from './listed-file.ts';

const blake3Code = 0x1e;
const blake3Bytes = 32;

/** Whether a text has the form of a content hash. */
export function isContentHash(text: string): boolean {
  try {
    const { code, size } = Digest.decode(base58btc.baseDecode(text));
    return code === blake3Code && size === blake3Bytes;
  } catch {
    return false;
  }
}

/** Hashes bytes in the order in which they come. */
export interface BytesHasher {
  update(bytes: Uint8Array): void;
  /** The hash of all bytes so far; the last call. */
  hash(): string;
}

export async function openBytesHasher(): Promise<BytesHasher> {
  const hasher = await createBLAKE3();
  hasher.init();
  return {
    update: (bytes) => void hasher.update(bytes),
    hash: () => encoded(hasher.digest('binary')),
  };
}

const encoded = (digest: Uint8Array): string => base58btc.baseEncode(Digest.create(blake3Code, digest).bytes);

export interface HashOptions {
  /** Called from time to time with the number of further bytes read. */
  readonly onBytes?: (bytes: number) => void;
  /** Called with the number of bytes just read; reading continues when it resolves. */
  readonly pace?: (bytes: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** One file at a time, by its path with every link resolved. Resolves with the hash and the facts of exactly the bytes that were hashed; null: the file changed during the read. */
export type HashFile = (
  path: string,
  options?: HashOptions,
) => Promise<{ readonly hash: string; readonly facts: FileFacts } | null>;

const bytesAtOnce = 1024 * 1024;

/** Upper bound of the timestamp granularity of file systems: two changes within it look like one. */
const tickMs = 20;

/** Waits until a further change would alter the timestamps. Null: the file changed during the wait. */
export async function factsAtRest(fd: number): Promise<FileFacts | null> {
  const facts = factsOf(fstatSync(fd));
  const ageMs = Date.now() - facts.ctimeMs;
  if (ageMs < 0 || ageMs > tickMs) return facts;
  await sleep(tickMs);
  return sameFacts(facts, fstatSync(fd)) ? facts : null;
}

/** Opens a hasher for the first file. */
export function lazyHasher(): HashFile {
  let opening: Promise<HashFile> | null = null;
  return async (path, options) => {
    opening ??= openHasher();
    return (await opening)(path, options);
  };
}

/** Reads in pieces, so that the event loop is not blocked. */
export async function openHasher(): Promise<HashFile> {
  const hasher = await createBLAKE3();
  const buffer = Buffer.allocUnsafe(bytesAtOnce);
  return async (path, { onBytes, pace, signal } = {}) => {
    const handle = await open(path, listedFlags);
    const { fd } = handle;
    try {
      assertListed(fd, path, fstatSync(fd));
      const before = await factsAtRest(fd);
      if (before === null) return null;
      hasher.init();
      for (let left = before.size; left >= 0; ) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle.read(buffer, 0, bytesAtOnce, null);
        if (bytesRead === 0) break;
        hasher.update(buffer.subarray(0, bytesRead));
        onBytes?.(bytesRead);
        await pace?.(bytesRead);
        // Below 0: the file is growing, and reading might never end.
        left -= bytesRead;
      }
      if (!sameFacts(before, fstatSync(fd))) return null;
      return { hash: encoded(hasher.digest('binary')), facts: before };
    } finally {
      await handle.close();
    }
  };
}
