// Appending whole lines to a file: torn ends, full disks, and files that are not accepted.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { appendLines } from '../../src/base/append-lines.ts';
import { codeOf } from '../../src/base/errors.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';

describe('append lines', () => {
  let folder: Folder;
  let file: string;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, 'lines');
  });
  afterEach(() => folder.remove());

  const text = () => readFileSync(file, 'utf8');

  it('creates the file for its owner alone, and returns its size', async () => {
    expect(await appendLines(file, ['a\n', 'b\n'])).to.equal(4);
    expect(await appendLines(file, ['c\n'], { isSynced: true })).to.equal(6);
    expect(text()).to.equal('a\nb\nc\n');
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('ends a line that a crash has left incomplete', async () => {
    writeFileSync(file, 'a\nto');
    expect(await appendLines(file, ['b\n'])).to.equal(7);
    expect(text()).to.equal('a\nto\nb\n');
  });

  it('leaves a file unchanged that the caller does not accept, given its size', async () => {
    appendFileSync(file, 'abc\n');
    const seen: number[][] = [];
    const accepts = (...sizes: number[]) => seen.push(sizes) === 0;
    expect(await appendLines(file, ['de\n'], { accepts })).to.equal(null);
    expect(seen).to.deep.equal([[4, 3]]);
    expect(text()).to.equal('abc\n');
  });

  it('rejects if the directory is missing, and does not create it', async () => {
    const error = await appendLines(join(folder.path, 'gone', 'lines'), ['a\n']).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).to.equal('ENOENT');
    expect(existsSync(join(folder.path, 'gone'))).to.equal(false);
  });

  it('removes a partial write when the disk is full', () => {
    writeFileSync(file, 'a\n');
    const module = new URL('../../src/base/append-lines.js', import.meta.url);
    const script = `
      import { appendLines } from ${JSON.stringify(module.href)};
      // The limit of the file size makes the write fail halfway; without a handler the signal would kill the process.
      process.on('SIGXFSZ', () => {});
      const error = await appendLines(process.argv[1], ['x'.repeat(3000) + '\\n']).catch((thrown) => thrown);
      console.log(error.code);
    `;
    const limited = 'ulimit -f 1; exec "$0" --input-type=module --eval "$1" "$2"';
    // A report of coverage could not be written either.
    const env = { ...process.env, NODE_V8_COVERAGE: '' };
    const code = execFileSync('bash', ['-c', limited, process.execPath, script, file], { encoding: 'utf8', env });
    expect(code).to.equal('EFBIG\n');
    expect(text()).to.equal('a\n');
  });
});
