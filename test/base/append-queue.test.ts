// The append queue on a real disk, and on one that fails, hangs and comes back.
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { appendLines } from '../../src/base/append-lines.ts';
import { AppendQueue, type AppendQueueOptions } from '../../src/base/append-queue.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

describe('append queue', () => {
  let folder: Folder;
  let file: string;
  let queues: AppendQueue[];
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, 'state', 'lines');
    mkdirSync(join(folder.path, 'state'));
    queues = [];
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    folder.remove();
  });

  function start(options: Partial<AppendQueueOptions> = {}): AppendQueue {
    const append = async (lines: readonly string[], lost: number) => {
      await appendLines(file, lost > 0 ? [...lines, `lost ${lost}\n`] : lines);
    };
    const queue = new AppendQueue({ append, writeTimeoutMs: 60_000, retryMs: 60_000, ...options });
    queues.push(queue);
    return queue;
  }
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const breakDisk = () => renameSync(join(folder.path, 'state'), join(folder.path, 'away'));
  const repairDisk = () => renameSync(join(folder.path, 'away'), join(folder.path, 'state'));

  it('has a line in the file when the promise resolves', async () => {
    const queue = start();
    for (const line of ['a', 'b', 'c']) {
      await queue.add(`${line}\n`);
      expect(lines().at(-1)).to.equal(line);
    }
    expect(queue.failure).to.equal(null);
    expect(queue.waiting).to.equal(0);
  });

  it('keeps the order, and writes lines added during a write as one batch', async () => {
    const batches: number[] = [];
    const append = async (batch: readonly string[]) => {
      batches.push(batch.length);
      await appendLines(file, batch);
    };
    const queue = start({ append });
    const numbers = Array.from({ length: 1000 }, (_, index) => `${index}`);
    await Promise.all(numbers.map((line) => queue.add(`${line}\n`)));
    expect(lines()).to.deep.equal(numbers);
    expect(batches).to.deep.equal([1, 999]);
  });

  it('keeps lines while the disk fails, and writes them in order with the next one', async () => {
    const queue = start();
    await queue.add('a\n');
    breakDisk();
    await Promise.all([queue.add('b\n'), queue.add('c\n')]);
    expect(queue.failure).to.match(/^ENOENT/);
    expect(queue.waiting).to.equal(2);
    repairDisk();
    await queue.add('d\n');
    expect(lines()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(queue.failure).to.equal(null);
  });

  it('retries without a new line', async () => {
    const queue = start({ retryMs: 1 });
    breakDisk();
    await queue.add('a\n');
    repairDisk();
    await until(() => queue.failure === null);
    expect(lines()).to.deep.equal(['a']);
  });

  it('does not retry after it was closed', async () => {
    let attempts = 0;
    const append = async () => {
      attempts += 1;
      throw new Error('no disk');
    };
    const queue = start({ append, retryMs: 0 });
    await queue.add('a\n');
    await queue.close();
    const before = attempts;
    // A timer set now runs after one that was set before.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(attempts).to.equal(before);
  });

  it('is bounded: further lines are dropped and counted, a single one is always kept', async () => {
    const queue = start({ maxWaitingBytes: 10 });
    breakDisk();
    for (const line of ['longer than the limit', 'b', 'c']) await queue.add(`${line}\n`);
    expect([queue.waiting, queue.lost]).to.deep.equal([1, 2]);
    repairDisk();
    await queue.flush();
    expect(lines()).to.deep.equal(['longer than the limit', 'lost 2']);
    expect([queue.waiting, queue.lost]).to.deep.equal([0, 0]);
    await queue.add('d\n');
    expect(lines().at(-1)).to.equal('d');
  });

  it('counts the lines dropped during a write for the next batch', async () => {
    let resume = (): void => {};
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const seen: [number, number][] = [];
    const append = async (batch: readonly string[], lost: number) => {
      seen.push([batch.length, lost]);
      await held;
    };
    const queue = start({ append, maxWaitingBytes: 5 });
    const added = ['one\n', 'two\n'].map((line) => queue.add(line));
    resume();
    await Promise.all(added);
    await queue.add('new\n');
    expect(seen).to.deep.equal([
      [1, 0],
      [1, 1],
    ]);
  });

  it('waits once for a disk that hangs, and again after it has come back', async () => {
    let resume = (): void => {};
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const append = async (batch: readonly string[]) => {
      await held;
      await appendLines(file, batch);
    };
    const queue = start({ append, writeTimeoutMs: 10 });
    await queue.add('a\n');
    expect(queue.failure).to.equal('the disk did not confirm a write within 10 ms');
    // These would wait forever if the timeout were not remembered.
    await queue.add('b\n');
    await queue.close();
    resume();
    await until(() => queue.failure === null && lines().length === 2);
    expect(lines()).to.deep.equal(['a', 'b']);
  });

  it('loses nothing confirmed when its process dies, even in the middle of a line', async () => {
    await start().add('a\n');
    await appendLines(file, ['torn']);
    await start().add('b\n');
    expect(lines()).to.deep.equal(['a', 'torn', 'b']);
  });

  it('writes to a new file after the old one was removed or renamed', async () => {
    const queue = start();
    await queue.add('a\n');
    renameSync(file, `${file}.1`);
    await queue.add('b\n');
    expect(lines()).to.deep.equal(['b']);
    rmSync(file);
    await queue.add('c\n');
    expect(lines()).to.deep.equal(['c']);
  });
});
