// The cache of a process that is killed at any instant, or whose disk is full.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { sameFacts } from '../../machines/answer.ts';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import { CacheRig } from '../support/cache-rig.ts';
import { hashOfBytes } from '../support/memory-sources.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const program = fileURLToPath(new URL('./cache-process.js', import.meta.url));
const rounds = 5;

describe('the cache of a process', () => {
  let folder: Folder;
  let child: ChildProcess;

  beforeEach(() => {
    folder = temporaryFolder();
  });

  afterEach(async () => {
    await kill();
    folder.remove();
  });

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Checks that every copy in the index is complete. */
  async function checkIndexed(rig: CacheRig): Promise<number> {
    let count = 0;
    for (const [id, copy] of rig.index.copiesByPriority()) {
      const row = rig.index.object(id);
      // A row is removed before its file, and added after its file was renamed, so the file exists.
      const file = statSync(rig.path(id));
      expect(sameFacts(file, copy), id).to.equal(true);
      expect(await hashOfBytes(readFileSync(rig.path(id))), id)
        .to.equal(row?.hash)
        .and.equal(copy.hash);
      count += 1;
    }
    return count;
  }

  it('has only complete copies in the index after a kill at any instant, and removes the other files', async () => {
    let seen = 0;
    for (let round = 1; round <= rounds; round += 1) {
      child = fork(program, ['busy', folder.path, String(round)]);
      for (let messages = 0; messages < 5 + 12 * round; messages += 1) await once(child, 'message');
      await kill();
      const index = openIndexWriter(join(folder.path, 'index'), {
        source: { kind: 'squid', name: 'http://squid' },
        maxBytes: 2 ** 24,
      });
      const rig = new CacheRig({ checkEveryMs: 20, maxBytes: 2 ** 30 }, index, folder.path);
      rig.settings = { workerId: null, buckets: ['1:0', '2:0'] };
      seen += await checkIndexed(rig);
      rig.cache.start();
      await until(() => rig.isInStep);
      await checkIndexed(rig);
      await rig.end();
    }
    expect(seen).to.be.greaterThan(rounds);
  });

  it('reports that the disk is full, removes what it could not store, and stores later objects that fit', async () => {
    // `ulimit -f` counts blocks of 512 or 1024 bytes.
    const limited = ['-c', 'ulimit -f 1500 && exec "$0" "$@"', process.execPath, program, 'full', folder.path];
    child = spawn('sh', limited, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [seen] = await once(child, 'message');
    expect(seen.words).to.deep.equal(['failed', 'pass', 'here']);
    expect(seen.condition).to.include({ type: 'CacheNotWritten', reason: 'DiskFull' });
    expect(seen.files).to.deep.equal(['02/2']);
  });
});
