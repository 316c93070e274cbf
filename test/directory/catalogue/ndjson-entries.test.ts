// A catalogue in NDJSON is read as a stream; every error names its line.
import { expect } from 'chai';
import type { CatalogueEntry } from '../../../src/directory/catalogue/catalogue-entries.ts';
import { ndjsonEntries } from '../../../src/directory/catalogue/ndjson-entries.ts';
import { textLines } from '../../../src/directory/catalogue/text-lines.ts';

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  // One buffer for all pieces, as the file is read.
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(buffer, 0, at, at + size);
    yield buffer.subarray(0, length);
  }
}

async function entriesOf(text: string | Buffer, size = 65_536): Promise<CatalogueEntry[]> {
  const all: CatalogueEntry[] = [];
  for await (const entries of ndjsonEntries(piecesOf(Buffer.from(text), size), 'catalogue.ndjson'))
    all.push(...entries);
  return all;
}

const errorsOf = async (text: string | Buffer) =>
  (await entriesOf(text)).map((entry) => ('error' in entry ? entry.error : 'no error'));

const hash = 'gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3';

describe('a catalogue in NDJSON', () => {
  it('has one object or worker per line', async () => {
    const object = { id: '42', file: 'clips/ä.mp4', buckets: ['1:0'], type: 'video/mp4', size: 3, hash };
    const text = `${JSON.stringify(object)}\n{"worker":0,"buckets":["1:0"]}\n{"id":"43","file":"b","buckets":[]}`;
    const expected = [
      { object, line: 1 },
      { worker: { id: 0, buckets: ['1:0'] }, line: 2 },
      { object: { id: '43', file: 'b', buckets: [] }, line: 3 },
    ];
    // Pieces that end within a line, within a character, and at a line break.
    for (const size of [1, 2, 7, 30, 65_536]) expect(await entriesOf(text, size), `${size}`).to.deep.equal(expected);
  });

  it('takes a URL in place of a file, and not both or neither', async () => {
    const object = { id: '1', url: 'https://cdn.example/a.mp4', buckets: ['1:0'] };
    const { url: _, ...neither } = object;
    const lines = [object, { ...object, file: 'a' }, neither, { ...object, url: 'https://u:p@cdn.example/' }];
    const [first, ...errors] = await entriesOf(lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(first).to.deep.equal({ object, line: 1 });
    expect(errors).to.deep.equal([
      { error: 'catalogue.ndjson:2: must have a file or a url, not both' },
      { error: 'catalogue.ndjson:3: must have a file or a url' },
      { error: 'catalogue.ndjson:4: url: must be a valid URL: http or https, without user and password' },
    ]);
  });

  it('may have blank lines, a byte order mark and CRLF, and may be empty', async () => {
    const text = '\ufeff{"id":"1","file":"a","buckets":[]}\r\n\r\n  \n{"id":"2","file":"b","buckets":[]}\r\n';
    expect((await entriesOf(text, 3)).map((entry) => 'line' in entry && entry.line)).to.deep.equal([1, 4]);
    for (const empty of ['', '\n', '\ufeff', '\r\n']) expect(await entriesOf(empty), JSON.stringify(empty)).to.be.empty;
  });

  it('reports each error with its line and what is expected', async () => {
    const lines = [
      '{"id":42,"file":"a","bukets":["1:0"]}',
      '{"id":"1","file":"../a","buckets":["ok",""]}',
      '{"worker":"first","buckets":"none"}',
      '[1]',
      '"films"',
      '{"id":"1"',
      '{"id":"1","file":"a","buckets":[],"worker":0}',
    ];
    const errors = await errorsOf(lines.join('\n'));
    expect(errors.filter((line) => !line.includes(':6: '))).to.have.members([
      'catalogue.ndjson:1: buckets: is required',
      'catalogue.ndjson:1: bukets: is not a known key',
      'catalogue.ndjson:1: id: must be string: put it in quotes',
      "catalogue.ndjson:2: file: must be a valid path: relative, inside the catalogue's folder",
      'catalogue.ndjson:2: buckets[1]: must be a valid bucket id',
      'catalogue.ndjson:3: worker: must be integer',
      'catalogue.ndjson:3: buckets: must be array',
      'catalogue.ndjson:4: must be object',
      'catalogue.ndjson:5: must be object',
      'catalogue.ndjson:7: id: is not a known key',
      'catalogue.ndjson:7: file: is not a known key',
    ]);
    expect(errors.find((line) => line.includes(':6: '))).to.match(/^catalogue\.ndjson:6: is not JSON: /);
  });

  it('reports text that is not UTF-8, and goes on with the next line', async () => {
    const text = Buffer.concat([Buffer.from([0x7b, 0xff, 0x0a]), Buffer.from('{"id":"1","file":"a","buckets":[]}')]);
    const [first, second] = await entriesOf(text);
    expect(first).to.deep.equal({ error: 'catalogue.ndjson:1: is not UTF-8 text' });
    expect(second).to.deep.include({ line: 2 });
  });

  it('does not buffer a line that is too long, wherever it ends', async () => {
    const text = `${'x'.repeat(300_000)}\n{"id":"1","file":"a","buckets":[]}\n${'y'.repeat(300_000)}`;
    for (const size of [100_000, 262_144, 1_000_000]) {
      const [first, second, third] = await entriesOf(text, size);
      expect(first).to.deep.equal({ error: 'catalogue.ndjson:1: has more than 262144 bytes' });
      expect(second).to.deep.include({ line: 2 });
      expect(third).to.deep.equal({ error: 'catalogue.ndjson:3: has more than 262144 bytes' });
    }
  });

  it('accepts a line of exactly the maximum length', async () => {
    const numbersOf = async (text: string) => {
      const lines: unknown[] = [];
      for await (const some of textLines(piecesOf(Buffer.from(text), 2), 4)) lines.push(...some);
      return lines;
    };
    expect(await numbersOf('abcd\nabcde\nabcd')).to.deep.equal([
      { number: 1, text: 'abcd' },
      { number: 2, fault: 'has more than 4 bytes' },
      { number: 3, text: 'abcd' },
    ]);
  });
});
