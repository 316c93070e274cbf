// The index between processes: killed writers and readers, fresh reads, a file of bounded size.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openIndexReader, openIndexWriter } from '../../src/store/lmdb-index.ts';
import { IndexFull } from '../../src/store/object-index.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { inBuckets, recount, squidRow } from './rows.ts';

const program = fileURLToPath(new URL('./index-process.js', import.meta.url));
const source = { kind: 'squid', name: 'http://squid' } as const;

describe('the index between processes', () => {
  const children: ChildProcess[] = [];
  let folder: Folder;
  let path: string;

  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder.path, 'index');
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    folder.remove();
  });

  const start = (mode: string, seed = 1): ChildProcess => {
    const child = fork(program, [mode, path, String(seed)]);
    children.push(child);
    return child;
  };

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  const messages = async (child: ChildProcess, count: number): Promise<unknown> => {
    let last: unknown;
    for (let seen = 0; seen < count; seen += 1) [last] = await once(child, 'message');
    return last;
  };

  const openWriter = (maxBytes = 2 ** 26) => openIndexWriter(path, { source, maxBytes });

  it('shows a published, consistent state at all times, however often its writer is killed', async () => {
    await openWriter().close();
    const reader = start('check');
    const faults: string[] = [];
    const versions: number[] = [];
    reader.on('message', (seen: { version: number; fault?: string }) => {
      if (seen.fault === undefined) versions.push(seen.version);
      else faults.push(seen.fault);
    });
    await messages(reader, 1);
    for (let round = 1; round <= 6; round += 1) {
      const writer = start('write', round);
      await messages(writer, 1 + ((round * 7) % 23));
      await kill(writer);
      const index = openIndexReader(path);
      expect(index.summary.totals, `round ${round}`).to.deep.equal(recount(index));
      await index.close();
    }
    await messages(reader, 1);
    expect(faults).to.deep.equal([]);
    expect(versions).to.deep.equal([...versions].sort((a, b) => a - b));
    expect(versions.at(-1)).to.be.greaterThan(3);
  });

  it('returns what was committed before a refresh, 2,000 times', async () => {
    const writer = start('count');
    await messages(writer, 1);
    const index = openIndexReader(path);
    const stale: number[] = [];
    for (let count = 1; count <= 2000; count += 1) {
      // Begins a read transaction of the state before.
      index.mark('count');
      writer.send('next');
      await messages(writer, 1);
      index.refresh();
      if (index.mark('count') !== count) stale.push(count);
    }
    await index.close();
    expect(stale).to.deep.equal([]);
  });

  /** Changes 20 of 1,000 objects per commit. */
  function commits(index: ReturnType<typeof openWriter>, count: number): void {
    for (let commit = 0; commit < count; commit += 1) {
      index.transact((tx) => {
        tx.putBag('a', inBuckets());
        for (let step = 0; step < 20; step += 1) {
          tx.putObject(String((commit * 37 + step * 53) % 1000), squidRow('a', { size: commit }));
        }
      });
    }
  }

  const fileBytes = () => statSync(join(path, 'data.mdb')).size;

  it('keeps its file small beside an idle reader and a stopped one', async () => {
    const index = openWriter();
    commits(index, 50);
    const [idle, stopped] = [start('idle'), start('idle')];
    await Promise.all([messages(idle, 1), messages(stopped, 1)]);
    stopped.kill('SIGSTOP');
    const before = fileBytes();
    commits(index, 500);
    expect(fileBytes()).to.be.lessThan(2 * before);
    await index.close();
  });

  it('reuses the pages that a killed reader held', async () => {
    const index = openWriter();
    commits(index, 50);
    const before = fileBytes();
    const reader = start('iterate');
    await messages(reader, 1);
    reader.kill('SIGSTOP');
    commits(index, 100);
    const held = fileBytes();
    expect(held).to.be.greaterThan(2 * before);
    await kill(reader);
    // The writer checks for killed readers now and then.
    commits(index, 100);
    const freed = fileBytes();
    commits(index, 400);
    expect(fileBytes()).to.be.lessThan(1.2 * freed);
    await index.close();
  });

  it('is full at its maximum size, leaves nothing of the failed transaction, and can be emptied', async () => {
    const index = openWriter(2 ** 20);
    index.transact((tx) => tx.putBag('a', inBuckets()));
    const put = (first: number) =>
      index.transact((tx) => {
        for (let id = first; id < first + 500; id += 1)
          tx.putObject(String(id), squidRow('a', { hash: 'z'.repeat(60) }));
      });
    let first = 0;
    expect(() => {
      for (; first < 1_000_000; first += 500) put(first);
    }).to.throw(IndexFull, /more than 1048576/);
    expect(first).to.be.within(2000, 20_000);
    expect(index.summary.totals).to.deep.equal(recount(index)).and.include({ objects: first });
    for (let id = 0; id < first; id += 100) {
      index.transact((tx) => {
        for (let one = id; one < id + 100; one += 1) tx.removeObject(String(one));
      });
    }
    put(0);
    expect(index.summary.totals.objects).to.equal(500);
    expect(fileBytes()).to.be.lessThan(2 ** 21);
    await index.close();
  });

  it('becomes full instead of outgrowing the disk while a stopped reader holds its pages', async () => {
    const index = openWriter(2 ** 20);
    commits(index, 50);
    const reader = start('iterate');
    await messages(reader, 1);
    reader.kill('SIGSTOP');
    expect(() => commits(index, 3000)).to.throw(IndexFull, /keeps an old state/);
    expect(fileBytes()).to.be.lessThan(2.5 * 2 ** 20);
    await kill(reader);
    index.tidy();
    expect(index.summary.totals).to.deep.equal(recount(index));
    await index.close();
  });

  it('fails with the system error on a full disk, keeps the old state, and goes on once there is room', async () => {
    const index = openWriter();
    commits(index, 1);
    await index.close();
    // The limit is on the size of a file, in blocks of 512 or 1024 bytes; it fails like a full disk.
    const child = spawn('sh', ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, program, 'fill', path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    const outcome = (await messages(child, 1)) as { readonly code: string };
    expect(outcome.code).to.be.oneOf(['EFBIG', 'EIO']);
    expect(outcome).to.include({ sameTotals: true, canBeWritten: true });
    const again = openWriter();
    expect(again.summary.totals).to.deep.equal(recount(again));
    commits(again, 20);
    await again.close();
  });
});
