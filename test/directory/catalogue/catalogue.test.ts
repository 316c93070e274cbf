// A catalogue on disk, from the first read through edits, errors and restarts, with real files.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { openHasher } from '../../../src/base/content-hash.ts';
import { openCatalogue } from '../../../src/directory/catalogue/catalogue.ts';
import { watchFile } from '../../../src/directory/catalogue/file-watch.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import type { CatalogueSetup } from '../../../src/ipc/content-messages.ts';
import { dataObject } from '../../../src/store/data-object.ts';
import { memoryIndex } from '../../../src/store/memory-index.ts';
import type { FileRow, IndexWriter } from '../../../src/store/object-index.ts';
import { type Observer, observe } from '../../support/directory-observer.ts';
import { type Folder, temporaryFolder } from '../../support/temporary-folder.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001080600000037', 'hex');

interface Stated {
  readonly id: string;
  readonly file?: string;
  readonly [key: string]: unknown;
}

describe('a catalogue', () => {
  let folder: Folder;
  let index: IndexWriter;
  let opened: Directory[];
  let logged: string[];

  beforeEach(() => {
    folder = temporaryFolder();
    index = memoryIndex({ kind: 'catalogue', name: join(folder.path, 'catalogue.yml') });
    opened = [];
    logged = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((directory) => directory.stop()));
    folder.remove();
  });

  const write = (...objects: Stated[]) =>
    folder.write('catalogue.yml', JSON.stringify({ objects: objects.map((it) => ({ buckets: ['b'], ...it })) }));

  const writeLines = (...lines: (object | string)[]) =>
    folder.write(
      'catalogue.ndjson',
      lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
    );

  const line = (id: number | string, file = 'a.txt') => ({ id: String(id), file, buckets: ['b'] });

  type Opened = Observer & { readonly directory: Directory };

  function start(more: Partial<CatalogueSetup> = {}, store: IndexWriter = index): Opened {
    const log = { info: () => {}, warn: (text: string) => void logged.push(text) };
    const file = join(folder.path, 'catalogue.yml');
    const setup = { kind: 'catalogue', checkEveryMs: 20, maxYamlBytes: 1_048_576, hashBytesPerSec: 0 } as const;
    const directory = openCatalogue({ ...setup, file, ...more }, { index: store, dataObject, log, retryMs: 20 });
    opened.push(directory);
    const observer = observe(directory, store);
    directory.start();
    return { ...observer, directory };
  }

  /** Resolves when it has been read, or has failed. */
  async function open(more: Partial<CatalogueSetup> = {}): Promise<Opened> {
    const opening = start(more);
    await opening.until(() => opening.directory.progress.activity !== 'reading');
    return opening;
  }

  const ndjson = (more: Partial<CatalogueSetup> = {}) => ({ file: join(folder.path, 'catalogue.ndjson'), ...more });

  /** Writes a type and hash that survive only if the catalogue does not read the file. */
  function plant(id: string, planted: Partial<FileRow>): void {
    index.transact((tx) => {
      const row = tx.object(id);
      if (!row?.file) throw new Error(`${id} has no file`);
      tx.putObject(id, { ...row, file: { ...row.file, ...planted } });
    });
  }

  const hashOf = async (file: string) => (await (await openHasher())(join(folder.path, file)))?.hash;

  it('determines a missing size, type and hash', async () => {
    folder.write('a.bin', png);
    folder.write('sub/b.vtt', 'WEBVTT\n');
    folder.write('c.html', '<script>alert(1)</script>');
    write({ id: '1', file: 'a.bin' }, { id: '2', file: 'sub/b.vtt' }, { id: '3', file: 'c.html' });
    const { object, until } = await open();
    await until(() => object('3')?.verified != null);
    expect(object('1')).to.deep.include({ path: join(folder.path, 'a.bin'), size: png.length, type: 'image/png' });
    expect(object('1')?.hash).to.equal(await hashOf('a.bin'));
    expect(object('1')?.verified?.size).to.equal(png.length);
    expect(object('2')?.type).to.equal('text/vtt');
    expect(object('3')?.type).to.equal('application/octet-stream');
  });

  it('lists objects whose bytes are elsewhere, beside files, and has nothing to read of them', async () => {
    folder.write('a.txt', 'one');
    const url = 'https://cdn.example/one.mp4?v=1';
    write(
      { id: '1', url },
      { id: '2', url, type: 'video/mp4', size: 7, hash: 'gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3' },
    );
    const { object, directory, until } = await open();
    expect(index.object('1')).to.deep.include({ file: null, url, size: null, type: null, hash: null, accepted: true });
    expect(index.object('2')).to.deep.include({ file: null, url, size: 7, type: 'video/mp4' });
    expect(object('1')).to.deep.include({ path: null, accepted: true, size: null, hash: null, verified: null });
    await until(() => directory.progress.activity === 'idle');
    expect(directory.progress.filesToHash).to.equal(0);
    const bag = index.object('1')?.bag ?? '';
    expect(index.bag(bag)).to.deep.include({ objects: 2, bytes: 7, sizeUnknown: 1, unaccepted: 0 });
    // From a URL to a file, and back.
    write({ id: '1', file: 'a.txt' }, { id: '2', url });
    await until(() => object('1')?.verified != null);
    expect(index.object('1')?.url).to.equal(null);
    write({ id: '1', url }, { id: '2', file: 'a.txt' });
    await until(() => object('2')?.verified != null);
    expect(index.object('1')).to.deep.include({ file: null, url });
    expect(object('1')).to.deep.include({ path: null, hash: null });
    expect(directory.conditions).to.deep.equal([]);
  });

  it('does not wait for the hash of a large file, and reports it later', async () => {
    const size = 160 * 1024 * 1024;
    truncateSync(folder.write('film.mp4', ''), size);
    write({ id: '1', file: 'film.mp4', type: 'video/mp4' });
    const { object, directory, until } = await open();
    expect(object('1')).to.include({
      size,
      type: 'video/mp4',
      hash: null,
      verified: null,
      accepted: true,
    });
    expect(directory.progress).to.include({ activity: 'hashing', filesToHash: 1 });
    await until(() => object('1')?.verified != null);
    expect(object('1')?.hash).to.have.length(46);
    expect(index.summary.version).to.equal(1);
    await until(() => directory.progress.filesToHash === 0 && directory.progress.activity === 'idle');
  });

  it('does not accept an object without a file, raises a condition, and accepts it when the file appears', async () => {
    write({ id: '1', file: 'later.txt', size: 5 });
    const { object, directory, message, until } = await open();
    expect(object('1')).to.include({ path: null, size: 5, accepted: false });
    expect(message('MissingFiles')).to.equal('1 object is not served: 1 (later.txt): does not exist');
    folder.write('later.txt', 'later');
    await until(() => object('1')?.verified != null && directory.conditions.length === 0);
    expect(object('1')?.accepted).to.be.true;
    rmSync(join(folder.path, 'later.txt'));
    await until(() => object('1')?.accepted === false && directory.conditions.length === 1);
  });

  it('does not serve a file of another size or hash than stated', async () => {
    folder.write('a.txt', 'abc');
    folder.write('b.txt', 'abc');
    folder.write('c.txt', 'abc');
    const hash = await hashOf('a.txt');
    folder.write('b.txt', 'abd');
    write({ id: '1', file: 'a.txt', hash }, { id: '2', file: 'b.txt', hash }, { id: '3', file: 'c.txt', size: 4 });
    const { object, message, until } = await open();
    await until(() => object('1')?.verified != null && object('2')?.accepted === false);
    expect([object('1'), object('2'), object('3')].map((it) => it?.accepted)).to.deep.equal([true, false, false]);
    expect(object('2')).to.include({ path: null, hash });
    await until(() => message('DamagedObjects')?.startsWith('2 objects are not served: ') === true);
    expect(message('DamagedObjects'))
      .to.contain('3 (c.txt): has 3 bytes, not 4')
      .and.contain(`2 (b.txt): has the hash`);
  });

  it('reads a file again after a bad-copy report or a visible change', async () => {
    folder.write('a.txt', 'first');
    write({ id: '1', file: 'a.txt' });
    const { object, directory, until } = await open();
    await until(() => object('1')?.verified != null);
    const hash = object('1')?.hash;
    folder.write('a.txt', 'second');
    directory.reportBadCopy('1');
    await until(() => object('1')?.hash !== hash && object('1')?.verified?.size === 6);
    expect(object('1')?.hash).to.equal(await hashOf('a.txt'));
  });

  it('reads a file again that is overwritten in place with the same size and time', async () => {
    const past = new Date('2020-01-01T00:00:00Z');
    const path = folder.write('a.txt', 'first');
    utimesSync(path, past, past);
    write({ id: '1', file: 'a.txt' });
    const before = await open();
    await before.until(() => before.object('1')?.verified != null);
    const overwrite = (text: string) => {
      writeFileSync(path, text);
      utimesSync(path, past, past);
      return hashOf('a.txt');
    };
    const second = await overwrite('SECON');
    await before.until(() => before.object('1')?.hash === second);
    await before.directory.stop();
    const third = await overwrite('THIRD');
    const after = await open();
    await after.until(() => after.object('1')?.verified != null);
    expect(after.object('1')?.hash).to.equal(third);
  });

  it('reads a reported file again even if only its bytes have changed', async () => {
    const past = new Date('2020-01-01T00:00:00Z');
    const path = folder.write('a.txt', 'first');
    utimesSync(path, past, past);
    write({ id: '1', file: 'a.txt' });
    const { object, directory, until } = await open();
    await until(() => object('1')?.verified != null);
    const hash = object('1')?.hash;
    writeFileSync(path, 'FIRST');
    utimesSync(path, past, past);
    directory.reportBadCopy('1');
    await until(() => object('1')?.hash !== hash && object('1')?.hash !== null);
    expect(object('1')?.hash).to.equal(await hashOf('a.txt'));
  });

  it('does not use the saved hash of a reported file, even if its facts match', async () => {
    const path = folder.write('a.txt', 'first');
    const past = new Date('2020-01-01T00:00:00Z');
    utimesSync(path, past, past);
    write({ id: '1', file: 'a.txt' });
    const { object, directory, conditions, until } = await open({ checkEveryMs: 600_000 });
    await until(() => object('1')?.verified != null);
    renameSync(path, `${path}.away`);
    directory.reportBadCopy('1');
    await until(() => conditions().length === 1);
    writeFileSync(`${path}.away`, 'FIRST');
    utimesSync(`${path}.away`, past, past);
    renameSync(`${path}.away`, path);
    const hash = await hashOf('a.txt');
    directory.reportBadCopy('1');
    await until(() => object('1')?.hash === hash);
  });

  it('starts empty without a catalogue, and loads it when it appears', async () => {
    const { ids, conditions, directory, until } = await open();
    expect(ids()).to.be.empty;
    expect(conditions()).to.deep.equal(['CatalogueInvalid']);
    expect(directory.conditions[0]?.reason).to.equal('Missing');
    folder.write('a.txt', 'a');
    write({ id: '1', file: 'a.txt' });
    await until(() => ids().length === 1 && directory.conditions.length === 0);
  });

  it('keeps the old catalogue after a bad edit, reports the errors, and swaps after the fix', async () => {
    folder.write('a.txt', 'a');
    write({ id: '1', file: 'a.txt' });
    const { ids, directory, message, until } = await open();
    folder.write('catalogue.yml', 'objects:\n  - { id: "2", file: a.txt }\n');
    await until(() => directory.conditions.length === 1);
    expect(message('CatalogueInvalid')).to.equal('catalogue.yml:2: objects[0].buckets: is required');
    expect(ids()).to.deep.equal(['1']);
    folder.write('catalogue.yml', 'objects: {}');
    await until(() => message('CatalogueInvalid') === 'catalogue.yml:1: objects: must be array');
    expect(index.summary.version).to.equal(1);
    write({ id: '2', file: 'a.txt' });
    await until(() => ids()[0] === '2');
    expect(directory.conditions).to.be.empty;
  });

  it('rejects a file that is not text, and retries an unreadable one, logging it once', async () => {
    const file = folder.write('catalogue.yml', Buffer.from([0x61, 0xff, 0xfe]));
    const { directory, message, until } = await open();
    expect(message('CatalogueInvalid')).to.equal('catalogue.yml: is not UTF-8 text');
    rmSync(file);
    mkdirSync(file);
    await until(() => directory.conditions[0]?.reason === 'Unreadable');
    const before = logged.length;
    // Another watch with the same period is the clock: in three of its rounds the catalogue has been tried at least once.
    await new Promise<void>((resolve) => {
      let rounds = 0;
      const clock = watchFile(file, 20, () => {
        rounds += 1;
        if (rounds < 3) return clock.again();
        clock.stop();
        resolve();
      });
      clock.again();
    });
    expect(logged).to.have.length(before);
    rmSync(file, { recursive: true });
    write();
    await until(() => directory.conditions.length === 0);
  });

  it('survives replacement and absence of the catalogue', async () => {
    folder.write('a.txt', 'a');
    const file = write({ id: '1', file: 'a.txt' });
    const { ids, directory, until } = await open();
    renameSync(file, `${file}.away`);
    await until(() => directory.conditions[0]?.reason === 'Missing');
    expect(ids()).to.deep.equal(['1']);
    renameSync(`${file}.away`, file);
    await until(() => directory.conditions.length === 0);
    folder.write('new.yml', '{objects: [{id: "2", file: a.txt, buckets: []}]}');
    renameSync(join(folder.path, 'new.yml'), file);
    await until(() => ids()[0] === '2');
  });

  it('does not serve files behind a link that leads out, at the start or later, and follows links that stay inside', async () => {
    const elsewhere = temporaryFolder();
    elsewhere.write('secret', 'x');
    folder.write('inside/a.txt', 'a');
    symlinkSync(join(elsewhere.path, 'secret'), join(folder.path, 'out'));
    symlinkSync(elsewhere.path, join(folder.path, 'away'));
    symlinkSync('inside/a.txt', join(folder.path, 'in'));
    try {
      write({ id: '1', file: 'in' }, { id: '2', file: 'away/secret' }, { id: '3', file: 'out' });
      const { object, conditions, message, until } = await open();
      await until(() => object('1')?.verified != null);
      expect([object('2'), object('3')].map((it) => it?.path)).to.deep.equal([null, null]);
      expect(conditions()).to.deep.equal(['DamagedObjects']);
      const out = `leads out of the catalogue's folder, to ${elsewhere.path}/secret`;
      expect(message('DamagedObjects')).to.equal(`2 objects are not served: 2 (away/secret): ${out}; 3 (out): ${out}`);
      write({ id: '1', file: 'in' });
      await until(() => conditions().length === 0);
      expect(object('1')?.path).to.equal(join(folder.path, 'inside/a.txt'));
      rmSync(join(folder.path, 'in'));
      symlinkSync(join(elsewhere.path, 'secret'), join(folder.path, 'in'));
      await until(() => object('1')?.accepted === false && message('DamagedObjects') !== undefined);
      expect(object('1')?.path).to.be.null;
    } finally {
      elsewhere.remove();
    }
  });

  it('treats a folder, a pipe, a socket or a loop of links as a missing file, affecting only its own object', async () => {
    mkdirSync(join(folder.path, 'folder'));
    execFileSync('mkfifo', [join(folder.path, 'pipe')]);
    symlinkSync('loop', join(folder.path, 'loop'));
    symlinkSync('pipe', join(folder.path, 'link'));
    const server = createServer().listen(join(folder.path, 'socket'));
    await once(server, 'listening');
    try {
      const odd = ['folder', 'pipe', 'loop', 'link', 'socket', 'folder/none', `pipe/x`, 'x'.repeat(300)];
      folder.write('good.txt', 'good');
      write({ id: '1', file: 'good.txt' }, ...odd.map((file, index) => ({ id: `${index + 2}`, file })));
      const { ids, object, conditions, message, until } = await open();
      await until(() => object('1')?.verified != null);
      expect(ids().filter((id) => object(id)?.accepted)).to.deep.equal(['1']);
      expect(conditions()).to.deep.equal(['MissingFiles']);
      expect(message('MissingFiles'))
        .to.match(/^8 objects are not served: /)
        .and.contain('3 (pipe): is not an regular file');
    } finally {
      server.close();
    }
  });

  it('does not wait for a pipe that replaces a file during a read', async () => {
    truncateSync(folder.write('film.mp4', ''), 160 * 1024 * 1024);
    const path = folder.write('b.txt', 'b');
    write({ id: '1', file: 'film.mp4' }, { id: '2', file: 'b.txt' });
    // No file scan runs here: the state of the second file is that of the first read.
    const { object, message, until } = await open({ checkEveryMs: 600_000 });
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(object('1')?.verified).to.be.null;
    await until(() => object('1')?.verified != null && message('DamagedObjects') !== undefined);
    expect(message('DamagedObjects')).to.equal(
      `1 object is not served: 2 (b.txt): cannot be read: ${path} is not an regular file`,
    );
  });

  it('keeps types and hashes over a restart, without reading the file', async () => {
    folder.write('a.txt', 'first');
    write({ id: '1', file: 'a.txt' });
    const before = await open();
    await before.until(() => before.directory.progress.activity === 'idle');
    await before.directory.stop();
    plant('1', { hash: 'planted', type: 'text/planted' });
    const after = await open();
    await after.until(() => after.directory.progress.activity === 'idle');
    expect(after.object('1')).to.include({ hash: 'planted', type: 'text/planted' });
    expect(after.object('1')?.verified).to.not.be.null;
  });

  it('hashes after a restart what it had not hashed before', async () => {
    truncateSync(folder.write('film.mp4', ''), 160 * 1024 * 1024);
    write({ id: '1', file: 'film.mp4', type: 'video/mp4' });
    const { object, directory } = await open({ hashBytesPerSec: 1 });
    await directory.stop();
    expect(object('1')?.verified).to.equal(null);
    const again = await open();
    await again.until(() => again.object('1')?.verified != null);
  });

  it('keeps types and hashes of unchanged files in a new version, and determines those of changed ones', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt']) folder.write(name, name);
    write({ id: '1', file: 'a.txt' }, { id: '2', file: 'b.txt' }, { id: '3', file: 'c.txt' });
    const { object, ids, directory, until } = await open({ checkEveryMs: 50 });
    await until(() => directory.progress.activity === 'idle');
    for (const id of ['1', '2', '3']) plant(id, { hash: 'planted' });
    folder.write('b.txt', 'changed');
    write(
      { id: '1', file: 'a.txt' },
      { id: '2', file: 'b.txt' },
      { id: '3', file: 'b.txt' },
      { id: '4', file: 'c.txt' },
    );
    await until(() => ids().length === 4 && ids().every((id) => object(id)?.verified));
    const changed = await hashOf('b.txt');
    expect(ids().map((id) => object(id)?.hash)).to.deep.equal(['planted', changed, changed, await hashOf('c.txt')]);
  });

  it('imports no version twice: not after a restart, nor after the file was touched or replaced by the same bytes', async () => {
    folder.write('a.txt', 'a');
    const file = write({ id: '1', file: 'a.txt' });
    const facts = () => JSON.stringify(index.mark('catalogue'));
    const before = await open();
    const read = facts();
    utimesSync(file, new Date(0), new Date(0));
    await before.until(() => facts() !== read);
    await before.directory.stop();
    expect(index.summary.version).to.equal(1);
    const touched = facts();
    renameSync(file, `${file}.away`);
    write({ id: '1', file: 'a.txt' });
    const after = await open();
    expect(facts()).to.not.equal(touched);
    expect(index.summary.version).to.equal(1);
    expect(after.ids()).to.deep.equal(['1']);
  });

  it('imports the same bytes again from another folder, as after a changed link', async () => {
    for (const name of ['one', 'two']) {
      folder.write(`${name}/a.txt`, name);
      folder.write(`${name}/catalogue.yml`, '{objects: [{id: "1", file: a.txt, buckets: []}]}');
    }
    const link = join(folder.path, 'current');
    symlinkSync('one', link);
    const { object, until } = await open({ file: join(link, 'catalogue.yml') });
    expect(object('1')?.path).to.equal(join(folder.path, 'one/a.txt'));
    rmSync(link);
    symlinkSync('two', link);
    await until(() => object('1')?.path === join(folder.path, 'two/a.txt'));
  });

  it('finds files that changed while the node was down', async () => {
    folder.write('a.txt', 'first');
    folder.write('b.txt', 'b');
    write({ id: '1', file: 'a.txt' }, { id: '2', file: 'b.txt' });
    const before = await open();
    await before.until(() => before.directory.progress.activity === 'idle');
    await before.directory.stop();
    folder.write('a.txt', 'second');
    rmSync(join(folder.path, 'b.txt'));
    const after = await open();
    const hash = await hashOf('a.txt');
    await after.until(() => after.object('1')?.hash === hash && after.object('2')?.accepted === false);
    await after.until(() => after.conditions().join() === 'MissingFiles');
    expect(index.summary.version).to.equal(1);
  });

  it('reads all changed files, even if more change at once than it remembers', async () => {
    const objects = Array.from({ length: 2500 }, (_, n) => ({ id: String(n), file: 'a.txt' }));
    folder.write('a.txt', 'first');
    write(...objects);
    const { ids, object, directory, until } = await open();
    await until(() => directory.progress.activity === 'idle');
    expect(ids().every((id) => object(id)?.verified)).to.be.true;
    folder.write('a.txt', 'second');
    const hash = await hashOf('a.txt');
    await until(() => ids().every((id) => object(id)?.hash === hash));
  });

  it('retries a file that could not be read', async () => {
    const path = folder.write('a.txt', 'a');
    write({ id: '1', file: 'a.txt' });
    const { object, message, until } = await open();
    await until(() => object('1')?.verified != null);
    // As a read with a temporary failure leaves it.
    plant('1', { hash: null, problem: { kind: 'damaged', message: 'cannot be read: EIO' } });
    expect(object('1')?.path).to.be.null;
    await until(() => object('1')?.verified != null && message('DamagedObjects') === undefined);
    expect(object('1')?.path).to.equal(path);
  });

  it('imports NDJSON in steps, without blocking the event loop', async () => {
    folder.write('a.txt', 'a');
    writeLines({ worker: 3, buckets: ['b', 'c'] }, ...Array.from({ length: 20_000 }, (_, n) => line(n)));
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 0);
    const { ids, bucketWorkers, directory } = await open(ndjson());
    clearInterval(turning);
    expect(ids()).to.have.length(20_000);
    expect(bucketWorkers()).to.deep.equal({ b: [3], c: [3] });
    expect(turns).to.be.greaterThan(20);
    expect(directory.progress.readAt).to.not.be.null;
  });

  it('shows the progress of an import, and can be stopped during it', async () => {
    folder.write('a.txt', 'a');
    writeLines(...Array.from({ length: 50_000 }, (_, n) => line(n)));
    const { directory, ids, until } = start(ndjson());
    await until(() => (directory.progress.objectsRead ?? 0) > 0);
    expect(directory.progress.activity).to.equal('reading');
    expect(ids()).to.be.empty;
    await directory.stop();
    expect(index.summary).to.include({ version: 0, readAt: null });
    const again = await open(ndjson());
    expect(again.ids()).to.have.length(50_000);
  });

  it('rejects NDJSON as a whole: errors of lines and repeated ids, each with its line', async () => {
    folder.write('a.txt', 'a');
    writeLines(line('1'));
    const { ids, message, until } = await open(ndjson());
    const many = Array.from({ length: 3000 }, (_, n) => line(n + 10));
    writeLines(
      line('2'),
      ...many,
      line('2'),
      { worker: 1, buckets: [] },
      { worker: 1, buckets: ['b'] },
      line('x'),
      '{',
    );
    await until(() => message('CatalogueInvalid') !== undefined);
    const lines = message('CatalogueInvalid')?.split('\n').sort() ?? [];
    expect(lines.slice(0, 3)).to.deep.equal([
      'catalogue.ndjson:3002: id: 2 is also the id of an earlier object',
      'catalogue.ndjson:3004: worker: 1 already has a line',
      'catalogue.ndjson:3005: id: must be a valid object id: up to 500 digits',
    ]);
    expect(lines[3]).to.match(/^catalogue\.ndjson:3006: is not JSON: /);
    expect(lines).to.have.length(4);
    expect(ids()).to.deep.equal(['1']);
    writeLines(line('2'));
    await until(() => ids().join() === '2' && message('CatalogueInvalid') === undefined);
  });

  it('counts the errors beyond the first twenty', async () => {
    writeLines(...Array.from({ length: 50 }, () => line('x')));
    await open(ndjson());
    expect(logged.join()).to.contain('catalogue.ndjson:20: ').and.contain('catalogue.ndjson: … and 30 more');
    expect(logged.join()).to.not.contain('catalogue.ndjson:21: ');
  });

  it('refuses a large YAML catalogue, and names the format for it', async () => {
    const file = write(...Array.from({ length: 100 }, (_, n) => ({ id: String(n), file: 'a.txt' })));
    const { message } = await open({ maxYamlBytes: 1024 });
    expect(message('CatalogueInvalid'))
      .to.contain('catalogue.yml: has ')
      .and.contain('limits.yamlCatalogueBytes')
      .and.contain('catalogue FOLDER --format ndjson');
    expect(file).to.contain('catalogue.yml');
  });

  it('parses a large YAML catalogue without blocking the event loop, and can be stopped during it', async () => {
    folder.write('a.txt', 'a');
    const many = Array.from({ length: 5000 }, (_, n) => ({ id: String(n), file: 'a.txt' }));
    write(...many);
    const stopped = start();
    await stopped.directory.stop();
    expect(index.summary.version).to.equal(0);
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 0);
    const { ids, message, until } = await open();
    clearInterval(turning);
    expect(ids()).to.have.length(5000);
    expect(turns).to.be.greaterThan(20);
    write(...many, { id: 'x', file: 'a.txt' });
    await until(() => message('CatalogueInvalid') !== undefined);
    expect(message('CatalogueInvalid')).to.equal(
      'catalogue.yml:1: objects[5000].id: must be a valid object id: up to 500 digits',
    );
    expect(ids()).to.have.length(5000);
  });

  it('puts objects with the same set of buckets into one bag', async () => {
    folder.write('a.txt', 'a');
    const many = Array.from({ length: 300 }, (_, n) => `bucket ${n}`);
    const sets = [['a', 'b'], ['b', 'a', 'b'], ['a'], [], many, [...many].reverse(), ['🎬'.repeat(128)]];
    write(...sets.map((buckets, n) => ({ id: String(n), file: 'a.txt', buckets })));
    const { object, conditions } = await open();
    expect(conditions()).to.be.empty;
    expect([...index.bags()]).to.have.length(5);
    expect([0, 1, 2, 3].map((n) => object(String(n))?.buckets)).to.deep.equal([['a', 'b'], ['a', 'b'], ['a'], []]);
    expect(object('4')?.buckets).to.have.members(many);
    expect(index.object('4')?.bag).to.equal(index.object('5')?.bag);
  });

  describe('when the index cannot be written', () => {
    /** The index, with transactions that fail as long as there is an error. */
    function failing(): { error: Error | null; readonly index: IndexWriter } {
      const disk: { error: Error | null; readonly index: IndexWriter } = {
        error: null,
        index: new Proxy(index, {
          get: (target, key) => {
            const value: unknown = Reflect.get(target, key, target);
            if (typeof value !== 'function') return value;
            const isWrite = key === 'transact' || key === 'newVersion';
            return (...args: unknown[]) => {
              if (isWrite && disk.error) throw disk.error;
              return value.apply(target, args);
            };
          },
        }),
      };
      return disk;
    }

    const cases = {
      DiskFull: Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }),
      IndexFull: Object.assign(new Error('the index is full'), { name: 'IndexFull' }),
      WriteFailed: Object.assign(new Error('i/o error'), { code: 'EIO' }),
    };

    for (const [reason, error] of Object.entries(cases)) {
      it(`serves the old version, says ${reason}, and tries again`, async () => {
        folder.write('a.txt', 'a');
        write({ id: '1', file: 'a.txt' });
        const disk = failing();
        const { ids, directory, conditions, until } = start({}, disk.index);
        await until(() => directory.progress.activity === 'idle' && ids().length === 1);
        disk.error = error;
        write({ id: '2', file: 'a.txt' });
        await until(() => conditions().length === 1);
        expect(directory.conditions[0]).to.include({ type: 'IndexNotWritten', reason, message: error.message });
        expect(ids()).to.deep.equal(['1']);
        disk.error = null;
        await until(() => ids().join() === '2' && conditions().length === 0);
      });
    }

    it('notices changed files of the old version while a new one cannot be written', async () => {
      const path = folder.write('a.txt', 'a');
      write({ id: '1', file: 'a.txt' });
      const before = await open();
      await before.directory.stop();
      write({ id: '2', file: 'a.txt' });
      rmSync(path);
      const store = new Proxy(index, {
        get: (target, key) => {
          if (key === 'newVersion') throw cases.IndexFull;
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const { object, conditions, until } = start({}, store);
      await until(() => conditions().join() === 'IndexNotWritten,MissingFiles');
      expect(object('1')?.accepted).to.be.false;
    });

    it('keeps the results of reading files, and writes them later', async () => {
      const path = folder.write('a.txt', 'first');
      write({ id: '1', file: 'a.txt' });
      const disk = failing();
      const { object, conditions, directory, until } = start({ checkEveryMs: 600_000 }, disk.index);
      await until(() => directory.progress.activity === 'idle' && object('1')?.verified != null);
      plant('1', { hash: 'planted' });
      disk.error = cases.DiskFull;
      directory.reportBadCopy('1');
      await until(() => conditions().join() === 'IndexNotWritten');
      expect(object('1')?.hash).to.equal('planted');
      disk.error = null;
      const hash = await hashOf('a.txt');
      await until(() => object('1')?.hash === hash && conditions().length === 0);
      expect(path).to.contain('a.txt');
    });
  });
});
