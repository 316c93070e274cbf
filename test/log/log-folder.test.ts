// Names, compression and removal of log files.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { LogFolder, periodOf } from '../../src/log/log-folder.ts';

describe('log-folder', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'logs-'));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  const options = { name: 'my.node/1', frequency: 'daily', maxFiles: 3, archive: false } as const;
  const put = (...files: string[]) => {
    for (const file of files) writeFileSync(join(path, file), `of ${file}\n`);
  };

  it('names a period in local time, depending on the frequency', () => {
    const at = new Date(2026, 10, 3, 4, 5);
    expect(['yearly', 'monthly', 'daily', 'hourly'].map((it) => periodOf(at, it as 'daily'))).to.deep.equal([
      ...['2026', '2026-11', '2026-11-03', '2026-11-03-04'],
    ]);
  });

  it('appends to the last part of a period, or starts the next if that is compressed', async () => {
    const folder = new LogFolder({ ...options, path });
    expect(await folder.lastPart('2026-11-03')).to.equal(0);
    put('my.node_1-2026-11-03.log', 'my.node_1-2026-11-03.9.log', 'my.node_1-2026-11-03.10.log');
    put('my.node_1-2026-11-02.77.log', 'my.node_1-2026-11-04.5.log.gz', 'myxnode_1-2026-11-03.99.log');
    expect(await folder.lastPart('2026-11-03')).to.equal(10);
    expect(await folder.lastPart('2026-11-04')).to.equal(6);
    expect(folder.pathOf('2026-11-03', 0)).to.equal(join(path, 'my.node_1-2026-11-03.log'));
    expect(folder.pathOf('2026-11-03', 10)).to.equal(join(path, 'my.node_1-2026-11-03.10.log'));
  });

  it('removes the oldest files beyond the limit, and ignores foreign files', async () => {
    put('my.node_1-2026-11-01.log', 'my.node_1-2026-10-31.log.gz', 'my.node_1-2026-11-01.1.log');
    put('my.node_1-2026-11-02.log', 'other-2026-01-01.log', 'my.node_1-notes.log');
    await new LogFolder({ ...options, path }).tidy(join(path, 'my.node_1-2026-11-02.log'));
    expect(readdirSync(path).sort()).to.deep.equal([
      ...['my.node_1-2026-11-01.1.log', 'my.node_1-2026-11-01.log', 'my.node_1-2026-11-02.log'],
      ...['my.node_1-notes.log', 'other-2026-01-01.log'],
    ]);
  });

  it('compresses old files', async () => {
    put('my.node_1-2026-11-01.log', 'my.node_1-2026-11-02.log', 'my.node_1-2026-11-01.log.gz.part');
    await new LogFolder({ ...options, path, archive: true }).tidy(join(path, 'my.node_1-2026-11-02.log'));
    expect(readdirSync(path).sort()).to.deep.equal(['my.node_1-2026-11-01.log.gz', 'my.node_1-2026-11-02.log']);
    const packed = readFileSync(join(path, 'my.node_1-2026-11-01.log.gz'));
    expect(gunzipSync(packed).toString()).to.equal('of my.node_1-2026-11-01.log\n');
  });

  it('rejects with the reason', async () => {
    mkdirSync(join(path, 'my.node_1-2026-11-01.log'));
    const folder = new LogFolder({ ...options, path, archive: true });
    const failure = await folder.tidy(join(path, 'my.node_1-2026-11-02.log')).catch((error: Error) => error.message);
    expect(failure).to.match(/EISDIR/);
  });
});
