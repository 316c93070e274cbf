// The description of a folder is a valid catalogue of it.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { InputError } from '../../../src/base/errors.ts';
import { type CatalogueLoad, loadCatalogue } from '../../../src/directory/catalogue/catalogue-file.ts';
import { type DescribeProgress, describeFolder } from '../../../src/directory/catalogue/describe-folder.ts';
import { type Folder, temporaryFolder } from '../../support/temporary-folder.ts';

describe('describeFolder', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = temporaryFolder();
  });

  afterEach(() => folder.remove());

  /** Saves the description where it belongs and reads it as the node would. */
  function load(text: string): CatalogueLoad & { result: 'loaded' } {
    const loaded = loadCatalogue(folder.write('catalogue.yml', text));
    if (loaded.result === 'refused') throw new Error(`${loaded.errors.join('\n')}\n\n${text}`);
    return loaded;
  }

  it('writes one complete line per file, in the order of the names', async () => {
    folder.write('b/film.vtt', 'WEBVTT\n');
    folder.write('a.txt', '');
    folder.write('B.bin', 'x');
    expect(await describeFolder(folder.path, { bucket: '3:1', worker: 9 })).to.equal(`objects:
  - { id: "1", file: B.bin, buckets: [ "3:1" ], type: application/octet-stream, size: 1, hash: gW1dbxxhbQP1G9c4JkuggWBG4Uj79GVPJZLzGZSR1CQj5W }
  - { id: "2", file: a.txt, buckets: [ "3:1" ], type: text/plain, size: 0, hash: gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3 }
  - { id: "3", file: b/film.vtt, buckets: [ "3:1" ], type: text/vtt, size: 7, hash: gW52q5ywQPCy3fB764SPQcFzgGn9i9c1kfC1DTMBKCWmrb }
workers:
  - { id: 9, buckets: [ "3:1" ] }
`);
  });

  it('skips hidden files, catalogues, and links that lead out', async () => {
    const elsewhere = temporaryFolder();
    elsewhere.write('secret', 'x');
    for (const file of ['a', '.hidden', '.git/config', 'catalogue.yml', 'sub/catalogue.yaml']) folder.write(file, 'x');
    symlinkSync('a', join(folder.path, 'link'));
    symlinkSync('.', join(folder.path, 'loop'));
    symlinkSync('nowhere', join(folder.path, 'dangling'));
    symlinkSync(join(elsewhere.path, 'secret'), join(folder.path, 'out'));
    symlinkSync(elsewhere.path, join(folder.path, 'away'));
    const leftOut: string[] = [];
    const text = await describeFolder(folder.path, { onLeftOut: (line) => leftOut.push(line) });
    elsewhere.remove();
    expect(load(text).catalogue.objects.map(({ file }) => file)).to.deep.equal(['a', 'link']);
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
    await describeFolder(folder.path, { onProgress: (it) => progress.push(it) });
    const all = { files: 2, bytes: 3 * 1024 * 1024 + 1 };
    expect(progress[0]).to.deep.equal({ ...all, filesDone: 0, bytesDone: 0 });
    expect(progress[1]).to.deep.equal({ ...all, filesDone: 0, bytesDone: 1024 * 1024 });
    expect(progress.at(-1)).to.deep.equal({ ...all, filesDone: 2, bytesDone: all.bytes });
  });

  it('describes an empty folder', async () => {
    expect(load(await describeFolder(folder.path)).catalogue.objects).to.be.empty;
  });

  it('rejects invalid arguments', async () => {
    const refusal = (promise: Promise<string>) =>
      promise.then(
        () => expect.fail('not refused'),
        (error) => {
          expect(error).to.be.instanceOf(InputError);
          return error.message;
        },
      );
    expect(await refusal(describeFolder(join(folder.path, 'nowhere')))).to.contain('nowhere cannot be read: ENOENT');
    expect(await refusal(describeFolder(folder.path, { bucket: '' }))).to.equal('Not a bucket id: ""');
    expect(await refusal(describeFolder(folder.path, { worker: -1 }))).to.equal('Not a worker id: -1');
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
        const { catalogue, located } = load(await describeFolder(folder.path));
        expect(catalogue.objects.map(({ file }) => file)).to.have.members(names);
        expect(located.every((it) => 'found' in it)).to.be.true;
      }),
      { numRuns: 60 },
    );
  });
});
