// A catalogue in YAML is accepted or rejected as a whole; a rejection lists positions and reasons.
import { expect } from 'chai';
import { isCatalogueBucketId } from '../../../src/base/bucket-id.ts';
import { parseCatalogue } from '../../../src/directory/catalogue/yaml-entries.ts';

const hash = 'gW9T5gSXhgQB5LaqmnJrLVVpHawhM7youzHnuY6HyGBDy3';

function errorsOf(text: string): readonly string[] {
  const read = parseCatalogue(text, '/srv/films/catalogue.yml');
  return 'errors' in read ? read.errors : [];
}

function catalogueOf(text: string) {
  const read = parseCatalogue(text, 'catalogue.yml');
  if ('errors' in read) throw new Error(read.errors.join('\n'));
  return read.catalogue;
}

const object = (rest: string) => errorsOf(`objects:\n  - { id: "1", file: a, buckets: ["1:0"], ${rest} }\n`);
const file = (name: string) => errorsOf(`objects:\n  - { id: "1", buckets: [], file: ${JSON.stringify(name)} }\n`);

describe('a catalogue in YAML', () => {
  it('accepts the documented example', () => {
    const text = `objects:
  - { id: "42", file: clips/a.mp4, buckets: ["1:0"], type: video/mp4, size: 1048576, hash: ${hash} }
  - { id: "43", file: clips/b.mp4, buckets: [] }
workers:
  - { id: 0, buckets: ["1:0", "1:1"] }
`;
    expect(catalogueOf(text)).to.deep.equal({
      objects: [
        { id: '42', file: 'clips/a.mp4', buckets: ['1:0'], type: 'video/mp4', size: 1048576, hash },
        { id: '43', file: 'clips/b.mp4', buckets: [] },
      ],
      workers: [{ id: 0, buckets: ['1:0', '1:1'] }],
    });
  });

  it('may be JSON, begin with a byte order mark, use anchors, and have no workers or objects', () => {
    expect(catalogueOf('{"objects": [],\n\t"workers": []}')).to.deep.equal({ objects: [], workers: [] });
    expect(catalogueOf('\ufeffobjects: []')).to.deep.equal({ objects: [], workers: [] });
    const shared = catalogueOf(
      'objects:\n  - { id: "1", file: a, buckets: &b ["1:0"] }\n  - { id: "2", file: b, buckets: *b }',
    );
    expect(shared.objects.map(({ buckets }) => buckets)).to.deep.equal([['1:0'], ['1:0']]);
  });

  it('accepts a URL in place of a file', () => {
    const text = `objects:
  - { id: "1", url: "https://cdn.example:8443/a%20b.mp4?v=1", buckets: [] }
  - { id: "2", url: "http://[2001:db8::1]/", buckets: ["1:0"], type: video/mp4, size: 0, hash: ${hash} }
`;
    expect(catalogueOf(text).objects).to.deep.equal([
      { id: '1', url: 'https://cdn.example:8443/a%20b.mp4?v=1', buckets: [] },
      { id: '2', url: 'http://[2001:db8::1]/', buckets: ['1:0'], type: 'video/mp4', size: 0, hash },
    ]);
  });

  it('rejects an object with neither file nor URL, or with both, and other URLs, without showing them', () => {
    const text = `objects:
  - { id: "1", buckets: [] }
  - { id: "2", buckets: [], file: a, url: "https://a.example/" }
`;
    expect(errorsOf(text)).to.deep.equal([
      'catalogue.yml:2: objects[0]: must have a file or a url',
      'catalogue.yml:3: objects[1]: must have a file or a url, not both',
    ]);
    const wrong = ['', 'a.mp4', '//a.example/b', 'ftp://a.example/b', 'file:///etc/passwd', 'http://', 'data:,x'];
    for (const url of [
      ...wrong,
      'https://user:word@a.example/',
      'https://user@a.example/',
      `http://a/${'x'.repeat(5000)}`,
    ]) {
      expect(errorsOf(`objects:\n  - { id: "1", buckets: [], url: ${JSON.stringify(url)} }\n`), url).to.deep.equal([
        'catalogue.yml:2: objects[0].url: must be a valid URL: http or https, without user and password',
      ]);
    }
  });

  it('reports the position of each error and what is expected', () => {
    const text = `# films
objects:
  - { id: 42, file: a, bukets: ["1:0"] }
  - id: "2"
    file: ../b
    buckets: [ok,
      ""]
    size: -1
workers:
  - id: first
    buckets: none
`;
    expect(errorsOf(text)).to.have.members([
      'catalogue.yml:3: objects[0].buckets: is required',
      'catalogue.yml:3: objects[0].bukets: is not a known key',
      'catalogue.yml:3: objects[0].id: must be string: put it in quotes',
      "catalogue.yml:5: objects[1].file: must be a valid path: relative, inside the catalogue's folder",
      'catalogue.yml:7: objects[1].buckets[1]: must be a valid bucket id',
      'catalogue.yml:8: objects[1].size: must be >= 0',
      'catalogue.yml:10: workers[0].id: must be integer',
      'catalogue.yml:11: workers[0].buckets: must be array',
    ]);
  });

  it('reports the last line before an empty entry', () => {
    const text = 'objects:\n  - { id: "1", file: a, buckets: [] }\n  - \nworkers:\n  - { id: 0, buckets: [b] }\n  -\n';
    expect(errorsOf(text)).to.deep.equal([
      'catalogue.yml:2: objects[1]: must be object',
      'catalogue.yml:5: workers[1]: must be object',
    ]);
  });

  it('reports invalid YAML with its line', () => {
    expect(errorsOf('objects: [\n}'))
      .to.have.length(1)
      .and.satisfy(([line]: string[]) => line?.startsWith('catalogue.yml:2: '));
    expect(errorsOf('objects: []\nworkers: []\nobjects: []')).to.deep.equal([
      'catalogue.yml:3: duplicated mapping key',
    ]);
    expect(errorsOf('objects:\n  - { id: "1", id: "2", file: a, buckets: [] }')).to.deep.equal([
      'catalogue.yml:2: duplicated mapping key',
    ]);
    expect(errorsOf('')).to.deep.equal(['catalogue.yml: is empty']);
    expect(errorsOf('--- {}\n--- {}')).to.deep.equal(['catalogue.yml:2: holds more than one document']);
    expect(errorsOf('films')).to.deep.equal(['catalogue.yml:1: must be object']);
    expect(errorsOf('a: !exec x')).to.have.length(1);
  });

  it('rejects duplicate ids of objects and of workers', () => {
    const text = `objects:
  - { id: "1", file: a, buckets: [] }
  - { id: "2", file: a, buckets: [] }
  - { id: "1", file: b, buckets: [] }
workers:
  - { id: 0, buckets: [] }
  - { id: 0, buckets: [] }
`;
    expect(errorsOf(text)).to.deep.equal([
      'catalogue.yml:4: objects[2].id: 1 is also the id of objects[0]',
      'catalogue.yml:7: workers[1].id: 0 is also the id of workers[0]',
    ]);
  });

  it('rejects paths that lead out of the folder', () => {
    for (const name of ['../a', 'a/../../b', '..', '/etc/passwd', '', 'a\0b'])
      expect(file(name), name).to.have.length(1);
    for (const name of ['a', './a', 'a/b', 'a//b', '..a', 'a..', 'a\nb', '-', '…'])
      expect(file(name), name).to.be.empty;
  });

  it('rejects a type that could end a header line, an invalid hash, an invalid size', () => {
    expect(object('type: "text/plain; charset=utf-8"')).to.be.empty;
    for (const rest of [
      'type: video',
      'type: "a/b\\r\\nX: y"',
      'type: ""',
      'hash: W1…',
      'hash: QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
      'size: 1.5',
      'size: "1"',
      'size: 9007199254740993',
    ]) {
      expect(object(rest), rest).to.have.length(1);
    }
  });

  it('rejects an id that is too long for the index', () => {
    const withId = (id: string) => errorsOf(`objects: [{ id: "${id}", file: a, buckets: [] }]`);
    expect(withId('9'.repeat(500))).to.be.empty;
    expect(withId('9'.repeat(501))).to.deep.equal([
      'catalogue.yml:1: objects[0].id: must be a valid object id: up to 500 digits',
    ]);
  });

  it('accepts any text up to 128 characters as a bucket id, including the documented sample', () => {
    for (const id of ['string', '1:0', ' ', 'Größe', '🎬'.repeat(128), '__proto__'])
      expect(isCatalogueBucketId(id), id).to.be.true;
    for (const id of ['', 'a\nb', '\x7f', '\u0085', 'x'.repeat(129), '🎬'.repeat(129)])
      expect(isCatalogueBucketId(id), id).to.be.false;
  });

  it('lists the first twenty errors', () => {
    const errors = errorsOf(`objects:\n${'  - { id: x, file: a, buckets: [] }\n'.repeat(50)}`);
    expect(errors).to.have.length(21);
    expect(errors[0]).to.equal('catalogue.yml:2: objects[0].id: must be a valid object id: up to 500 digits');
    expect(errors[20]).to.equal('catalogue.yml: … and 30 more');
  });
});
