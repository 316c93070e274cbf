// Content hashes are the network's own: BLAKE3 as published, as a multihash in base58btc.
import { appendFileSync, truncateSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { base58btc } from 'multiformats/bases/base58';
import { type HashFile, isContentHash, openHasher } from '../../src/base/content-hash.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';

/** From the test vectors published with BLAKE3: the hash of 0, 1, 2, … 250, 0, 1, … of so many bytes. */
const vectors = {
  0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  1: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
  1024: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
  102400: 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085',
};

describe('content hash', () => {
  let folder: Folder;
  let hashFile: HashFile;

  before(async () => {
    folder = temporaryFolder();
    hashFile = await openHasher();
  });

  after(() => folder.remove());

  it('matches the published test vectors', async () => {
    for (const [size, expected] of Object.entries(vectors)) {
      const path = folder.write(
        size,
        Uint8Array.from({ length: Number(size) }, (_, n) => n % 251),
      );
      const hashed = await hashFile(path);
      expect(Buffer.from(base58btc.baseDecode(hashed?.hash ?? '')).toString('hex')).to.equal(`1e20${expected}`);
      expect(hashed?.facts.size).to.equal(Number(size));
      expect(isContentHash(hashed?.hash ?? '')).to.be.true;
    }
  });

  it('is recognised by its form', () => {
    for (const text of [
      '',
      'W1…',
      'gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBD',
      '0',
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
    ]) {
      expect(isContentHash(text), text).to.be.false;
    }
  });

  it('is null for a file that changes during the read', async () => {
    const path = folder.write('growing', Buffer.alloc(3 * 1024 * 1024));
    expect(await hashFile(path, { onBytes: () => appendFileSync(path, 'more') })).to.be.null;
  });

  it('is delayed until a further change would alter the timestamps', async () => {
    const hashing = hashFile(folder.write('fresh', 'first'));
    await setImmediate();
    const path = folder.write('fresh', 'other');
    const hashed = await hashing;
    expect([undefined, (await hashFile(path))?.hash]).to.include(hashed?.hash);
  });

  it('can be cancelled, and the next file is hashed normally', async () => {
    const path = folder.write('large', '');
    truncateSync(path, 64 * 1024 * 1024);
    const controller = new AbortController();
    const outcome = await hashFile(path, { signal: controller.signal, onBytes: () => controller.abort() }).catch(
      (it) => it,
    );
    expect(outcome).to.have.property('name', 'AbortError');
    const hashed = await hashFile(folder.write('empty', ''));
    expect(hashed?.hash).to.equal('gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3');
  });
});
