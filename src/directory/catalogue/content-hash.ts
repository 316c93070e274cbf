// Content hashes: BLAKE3-256 of a file's bytes as a multihash, written in base58btc without a prefix.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { createBLAKE3 } from 'hash-wasm';
import { base58btc } from 'multiformats/bases/base58';
import * as Digest from 'multiformats/hashes/digest';
import { type FileFacts, factsOf, sameFacts } from '../../../machines/answer.ts';
import { assertListed, listedFlags } from '../../base/listed-file.ts';

const blake3Code = 0x1e;
const blake3Bytes = 32;

/** Whether a text could be one, as it is written; whether any file has it is another matter. */
export function isContentHash(text: string): boolean {
  try {
    const { code, size } = Digest.decode(base58btc.baseDecode(text));
    return code === blake3Code && size === blake3Bytes;
  } catch {
    return false;
  }
}

export interface HashOptions {
  /** Called now and then with how many more bytes have been read. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** One file at a time, by its path with every link resolved. Resolves with the hash and the facts of exactly the bytes that were hashed; null: they changed meanwhile. */
export type HashFile = (
  path: string,
  options?: HashOptions,
) => Promise<{ readonly hash: string; readonly facts: FileFacts } | null>;

const bytesAtOnce = 1024 * 1024;

/** File systems stamp changes by a clock that ticks at least this often: two changes within a tick look like one. */
const tickMs = 20;

/** Once any further change would show in them. Null: there was one while that was waited for. */
async function factsAtRest(fd: number): Promise<FileFacts | null> {
  const facts = factsOf(fstatSync(fd));
  const ageMs = Date.now() - facts.ctimeMs;
  if (ageMs < 0 || ageMs > tickMs) return facts;
  await sleep(tickMs);
  return sameFacts(facts, fstatSync(fd)) ? facts : null;
}

/**
 * Reads synchronously, in slices: a thread of its own calls this, and so it takes none of the pool threads on which
 * the rest of the process waits for its own files.
 */
export async function openHasher(): Promise<HashFile> {
  const hasher = await createBLAKE3();
  const buffer = Buffer.allocUnsafe(bytesAtOnce);
  return async (path, { onBytes, signal } = {}) => {
    const fd = openSync(path, listedFlags);
    try {
      assertListed(fd, path, fstatSync(fd));
      const before = await factsAtRest(fd);
      if (before === null) return null;
      hasher.init();
      for (let left = before.size; ; ) {
        signal?.throwIfAborted();
        const count = readSync(fd, buffer, 0, bytesAtOnce, null);
        if (count === 0) break;
        hasher.update(buffer.subarray(0, count));
        onBytes?.(count);
        left -= count;
        // More than it had: it grows, and reading on might never end.
        if (left < 0) return null;
        if (left > 0) await setImmediate();
      }
      if (!sameFacts(before, fstatSync(fd))) return null;
      const digest = Digest.create(blake3Code, hasher.digest('binary'));
      return { hash: base58btc.baseEncode(digest.bytes), facts: before };
    } finally {
      closeSync(fd);
    }
  };
}
