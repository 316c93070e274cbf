// The description of a folder is a valid catalogue of it.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { InputError } from '../../../src/base/errors.ts';
import { CatalogueFile } from '../../../src/directory/catalogue/catalogue-file.ts';
import type { StatedObject } from '../../../src/directory/catalogue/catalogue-schema.ts';
import { describeFolder, type WriteOptions } from '../../../src/directory/catalogue/describe-folder.ts';
import type { DescribeProgress } from '../../../src/directory/catalogue/folder-entries.ts';
import { locateFile } from '../../../src/directory/catalogue/object-file.ts';
import { type Folder, temporaryFolder } from '../../support/temporary-folder.ts';

describe('describeFolder', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = temporaryFolder();
  });

  afterEach(() => folder.remove());

  const refusal = (promise: Promise<string>): Promise<string> =>
    promise.then(
      () => expect.fail('not refused'),
      (error) => {
        expect(error).to.be.instanceOf(InputError);
        return error.message;
      },
    );

  async function describeAll(path: string, options: WriteOptions = {}): Promise<string> {
    let text = '';
    for await (const piece of describeFolder(path, options)) text += piece;
    return text;
  }

  /** Saves the description where it belongs and reads it as the node would. */
  async function load(text: string, name = 'catalogue.yml'): Promise<StatedObject[]> {
    const file = await CatalogueFile.open(folder.write(name, text), 10_000_000);
    const objects: StatedObject[] = [];
    for await (const entries of file.entries(() => {}, new AbortController().signal)) {
      for (const entry of entries) {
        if ('error' in entry) throw new Error(`${entry.error}\n\n${text}`);
        if ('object' in entry) objects.push(entry.object);
      }
    }
    await file.close();
    return objects;
  }

  it('writes one complete line per file, in the order of the names', async () => {
    folder.write('b/film.vtt', 'WEBVTT\n');
    folder.write('a.txt', '');
    folder.write('B.bin', 'x');
    expect(await describeAll(folder.path, { bucket: '3:1', worker: 9 })).to.equal(`objects:
  - { id: "1", file: B.bin, buckets: [ "3:1" ], type: application/octet-stream, size: 1, hash: gW1dbxxhbQP1G9c4JkuggWBG4Uj79GVPJZLzGZSR1CQj5W }
  - { id: "2", file: a.txt, buckets: [ "3:1" ], type: text/plain, size: 0, hash: gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3 }
  - { id: "3", file: b/film.vtt, buckets: [ "3:1" ], type: text/vtt, size: 7, hash: gW52q5ywQPCy3fB764SPQcFzgGn9i9c1kfC1DTMBKCWmrb }
workers:
  - { id: 9, buckets: [ "3:1" ] }
`);
  });

  it('writes the same as NDJSON, one object per line', async () => {
    folder.write('b/film.vtt', 'WEBVTT\n');
    folder.write('a.txt', '');
    const text = await describeAll(folder.path, { bucket: '3:1', worker: 9, format: 'ndjson' });
    expect(text.split('\n').map((line) => line && JSON.parse(line))).to.deep.equal([
      {
        ...{ id: '1', file: 'a.txt', buckets: ['3:1'], type: 'text/plain', size: 0 },
        hash: 'gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3',
      },
      {
        ...{ id: '2', file: 'b/film.vtt', buckets: ['3:1'], type: 'text/vtt', size: 7 },
        hash: 'gW52q5ywQPCy3fB764SPQcFzgGn9i9c1kfC1DTMBKCWmrb',
      },
      { worker: 9, buckets: ['3:1'] },
      '',
    ]);
    expect(await load(text, 'catalogue.ndjson')).to.have.length(2);
    expect(await load(await describeAll(folder.path, { format: 'ndjson' }), 'catalogue.jsonl')).to.have.length(2);
  });

  it('uses the names as ids, or numbers the files, as chosen', async () => {
    for (const name of ['42', '7', '100']) folder.write(name, name);
    const idsOf = async (ids: 'count' | 'names') =>
      (await load(await describeAll(folder.path, { ids }))).map(({ id, file }) => `${id} ${file}`);
    expect(await idsOf('names')).to.deep.equal(['100 100', '42 42', '7 7']);
    expect(await idsOf('count')).to.deep.equal(['1 100', '2 42', '3 7']);
  });

  it('requires the choice if all names are decimal', async () => {
    folder.write('42', 'a');
    folder.write('sub/43', 'b');
    expect(await refusal(describeAll(folder.path)))
      .to.contain('--ids names')
      .and.contain('--ids count');
    folder.write('note.txt', 'c');
    expect(await load(await describeAll(folder.path))).to.have.length(3);
  });

  it('rejects names that are not decimal ids, and two files with the same name', async () => {
    for (const name of ['42', 'a.mp4', '4 2', '-1', '0x1', '٤٢', 'b.mp4', 'c.mp4']) folder.write(name, 'x');
    expect(await refusal(describeAll(folder.path, { ids: 'names' }))).to.equal(
      'Names that are not decimal ids: "-1", "0x1", "4 2", "a.mp4", "b.mp4", and 2 more. Move these files out of the folder, or use --ids count.',
    );
    folder.remove();
    folder.write('42', 'x');
    folder.write('sub/42', 'y');
    expect(await refusal(describeAll(folder.path, { ids: 'names' }))).to.equal(
      'Files with the same name, and so the same id: "sub/42". Keep one file of each name.',
    );
  });

  it('skips hidden files, catalogues, and links that lead out', async () => {
    const elsewhere = temporaryFolder();
    elsewhere.write('secret', 'x');
    for (const file of ['a', '.hidden', '.git/config', 'catalogue.yml', 'sub/catalogue.yaml', 'catalogue.ndjson'])
      folder.write(file, 'x');
    symlinkSync('a', join(folder.path, 'link'));
    symlinkSync('.', join(folder.path, 'loop'));
    symlinkSync('nowhere', join(folder.path, 'dangling'));
    symlinkSync(join(elsewhere.path, 'secret'), join(folder.path, 'out'));
    symlinkSync(elsewhere.path, join(folder.path, 'away'));
    const leftOut: string[] = [];
    const text = await describeAll(folder.path, { onLeftOut: (line) => leftOut.push(line) });
    elsewhere.remove();
    expect((await load(text)).map(({ file }) => file)).to.deep.equal(['a', 'link']);
    expect(leftOut.sort()).to.deep.equal([
      'dangling: does not exist',
      `out: leads out of the catalogue's folder, to ${elsewhere.path}/secret`,
    ]);
    expect(text).to.match(/^# Skipped: \w+: /);
  });

  it('reports its progress', async () => {
    folder.write('a', Buffer.alloc(3 * 1024 * 1024));
    folder.write('b', 'x');
    const progress: DescribeProgress[] = [];
    await describeAll(folder.path, { onProgress: (it) => progress.push(it) });
    const all = { files: 2, bytes: 3 * 1024 * 1024 + 1 };
    expect(progress[0]).to.deep.equal({ ...all, filesDone: 0, bytesDone: 0 });
    expect(progress[1]).to.deep.equal({ ...all, filesDone: 0, bytesDone: 1024 * 1024 });
    expect(progress.at(-1)).to.deep.equal({ ...all, filesDone: 2, bytesDone: all.bytes });
  });

  it('describes an empty folder', async () => {
    expect(await load(await describeAll(folder.path))).to.be.empty;
  });

  it('rejects invalid arguments', async () => {
    expect(await refusal(describeAll(join(folder.path, 'nowhere')))).to.contain('nowhere cannot be read: ENOENT');
    expect(await refusal(describeAll(folder.path, { bucket: '' }))).to.equal('Not a bucket id: ""');
    expect(await refusal(describeAll(folder.path, { worker: -1 }))).to.equal('Not a worker id: -1');
  });

  it('handles every possible file name', async () => {
    const awkward = fc.constantFrom(
      '- ',
      '#',
      ': ',
      '"',
      "'",
      '\\',
      '\n',
      '\r',
      '\t',
      '*a',
      '&a',
      '!',
      '{',
      ']',
      '%',
      '@',
      '`',
      '~',
      'null',
      '\u2028',
      '\u0085',
      '\ufeff',
      '\x7f',
      'é',
      'e\u0301',
      '🎬',
      '\\..',
    );
    const name = fc
      .array(fc.oneof(awkward, fc.string({ unit: 'binary', maxLength: 4 })), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(''))
      .filter(
        (it) =>
          !it.startsWith('.') &&
          !/[/\0]/.test(it) &&
          it !== '' &&
          Buffer.from(it).toString() === it &&
          Buffer.byteLength(it) < 250,
      );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 12 }), async (names) => {
        folder.remove();
        for (const it of names) folder.write(it, `content of ${it}`);
        for (const format of ['yaml', 'ndjson'] as const) {
          const text = await describeAll(folder.path, { format, ids: 'count' });
          const objects = await load(text, format === 'yaml' ? 'catalogue.yml' : 'catalogue.ndjson');
          expect(objects.map(({ file }) => file)).to.have.members(names);
          expect(objects.every(({ file = '' }) => 'found' in locateFile(folder.path, file))).to.be.true;
        }
      }),
      { numRuns: 60 },
    );
  });
});
