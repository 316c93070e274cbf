// The index on disk.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import type { IndexWriter } from '../../src/store/object-index.ts';
import { describesAnIndex } from './object-index.contract.ts';

describe('the index on disk', () => {
  const opened: IndexWriter[] = [];
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'index-'));
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((index) => index.close()));
    await rm(folder, { recursive: true });
  });

  const open = (): IndexWriter => {
    const writer = openIndexWriter(folder, {
      source: { kind: 'squid', name: 'http://squid' },
      maxBytes: 2 ** 28,
    });
    opened.push(writer);
    return writer;
  };

  describesAnIndex(async () => ({
    writer: open(),
    reopen: async () => {
      await opened.pop()?.close();
      return open();
    },
  }));
});
