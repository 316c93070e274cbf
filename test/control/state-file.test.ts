// The state file on a failing disk: what was saved is there, what failed changed nothing, what is torn is never guessed at.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DesiredRecord } from '../../machines/settings.ts';
import { InputError } from '../../src/base/errors.ts';
import { directorySync } from '../../src/base/sync-directory.ts';
import { openStateFile } from '../../src/control/state-file.ts';
import { noDirectorySync } from '../support/no-directory-sync.ts';

const record = (generation: number, changes: DesiredRecord['changes'] = { workerId: generation }): DesiredRecord => ({
  generation,
  changes,
});

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: Error) => error,
  );

describe('state file', () => {
  let folder: string;
  let directory: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'state-file-'));
    directory = join(folder, 'state');
    path = join(directory, 'state.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const loaded = () => openStateFile(directory).load();

  it('is empty at first, and its directory is made', async () => {
    expect(await openStateFile(directory).load()).to.deep.equal({ generation: 0, changes: {} });
    expect(statSync(directory).mode & 0o777).to.equal(0o700);
  });

  it('gives back what was saved, whole', async () => {
    const file = openStateFile(directory);
    await file.load();
    const all = record(7, { workerId: null, buckets: ['1:0', 'a "name"'], publicApi: 'stopped' });
    await file.save(all);
    expect(await loaded()).to.deep.equal(all);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(directory)).to.deep.equal(['state.json']);
  });

  it('saves where its directory cannot be synced, and says so once', async () => {
    const warnings: string[] = [];
    const syncDirectory = directorySync((line) => warnings.push(line), noDirectorySync);
    const file = openStateFile(directory, { syncDirectory });
    await file.load();
    for (const generation of [1, 2]) await file.save(record(generation));
    expect((await loaded()).generation).to.equal(2);
    expect(await file.reset()).to.be.true;
    expect(warnings).to.have.length(1);
  });

  it('puts back what was there where the directory cannot be synced because the disk fails', async () => {
    await openStateFile(directory).load();
    await openStateFile(directory).save(record(1));
    const broken = Object.assign(new Error('broken'), { code: 'EIO' });
    const syncDirectory = directorySync(undefined, () => Promise.reject(broken));
    const file = openStateFile(directory, { syncDirectory });
    await file.load();
    expect((await failure(file.save(record(2)))).message).to.contain('disk I/O error (EIO)');
    expect((await loaded()).generation).to.equal(1);
  });

  it('saves in the order of the calls', async () => {
    const file = openStateFile(directory);
    await file.load();
    await Promise.all(Array.from({ length: 30 }, (_, index) => file.save(record(index))));
    expect((await loaded()).generation).to.equal(29);
  });

  describe('an aborted save', () => {
    it('does not write, and does not get in the way of the next', async () => {
      const file = openStateFile(directory);
      await file.load();
      await file.save(record(1));
      const abort = new AbortController();
      const late = failure(file.save(record(2), abort.signal));
      abort.abort();
      const next = file.save(record(3));
      expect((await late).message).to.equal(`The state file ${path} could not be written: timed out`);
      await next;
      expect((await loaded()).generation).to.equal(3);
    });

    for (const [moment, when] of [
      ['before it is in place', 2],
      ['after it is in place', 3],
    ] as const) {
      it(`leaves what was there, when it comes ${moment}`, async () => {
        const file = openStateFile(directory);
        await file.load();
        for (const before of [null, record(1)]) {
          if (before) await file.save(before);
          let asked = 0;
          const signal = new AbortController().signal;
          signal.throwIfAborted = () => {
            asked += 1;
            if (asked === when) throw new DOMException('aborted', 'AbortError');
          };
          await failure(file.save(record(2), signal));
          expect(asked).to.equal(when);
          expect((await loaded()).generation).to.equal(before?.generation ?? 0);
          expect(readdirSync(directory)).to.deep.equal(before ? ['state.json'] : []);
        }
      });
    }
  });

  describe('a disk that fails', () => {
    const failures: [string, () => void, () => void, string][] = [
      ['is full', () => symlinkSync('/dev/full', `${path}.tmp`), () => {}, 'no space left on device (ENOSPC)'],
      [
        'has lost the directory',
        () => rmSync(directory, { recursive: true }),
        () => mkdirSync(directory),
        'its directory does not exist (ENOENT)',
      ],
      [
        'has a file in place of the directory',
        () => {
          rmSync(directory, { recursive: true });
          writeFileSync(directory, '');
        },
        () => {
          rmSync(directory);
          mkdirSync(directory);
        },
        'its directory is a file (ENOTDIR)',
      ],
      [
        'has a directory in place of the file',
        () => {
          rmSync(path);
          mkdirSync(path);
        },
        () => rmSync(path, { recursive: true }),
        'its path is a directory (EISDIR)',
      ],
    ];
    for (const [name, breakIt, repairIt, reason] of failures) {
      it(`because it ${name} is named, and the next save after the repair works`, async () => {
        const file = openStateFile(directory);
        await file.load();
        await file.save(record(1));
        breakIt();
        expect((await failure(file.save(record(2)))).message).to.equal(
          `The state file ${path} could not be written: ${reason}`,
        );
        if (name === 'is full') expect((await loaded()).generation).to.equal(1);
        repairIt();
        await file.save(record(3));
        expect((await loaded()).generation).to.equal(3);
      });
    }

    it('refuses the start where the file cannot even be read', async () => {
      writeFileSync(directory, '');
      const error = await failure(openStateFile(directory).load());
      expect(error).to.be.instanceOf(InputError);
      expect(error.message).to.match(/^The state file .*state\.json could not be read: /);
    });
  });

  describe('a file that is not whole', () => {
    it('is set aside, and the public API stays stopped until someone says otherwise', async () => {
      mkdirSync(directory);
      writeFileSync(path, '{ "format": 1, "gener');
      const file = openStateFile(directory);
      const placeholder = await file.load();
      const [problem] = file.conditions;
      expect(placeholder).to.deep.equal({ generation: 0, changes: { publicApi: 'stopped' } });
      expect(problem).to.deep.include({ type: 'StateFileCorrupt' });
      const [aside] = readdirSync(directory).filter((name) => name.startsWith('state.json.corrupt-'));
      expect(problem?.message).to.contain(`set aside as ${join(directory, aside ?? '?')}`);
      expect(readFileSync(join(directory, aside ?? '?'), 'utf8')).to.equal('{ "format": 1, "gener');

      const restarted = openStateFile(directory);
      expect(await restarted.load()).to.deep.equal(placeholder);
      expect(restarted.conditions).to.deep.equal([]);

      await file.save(record(1, { publicApi: 'stopped', workerId: 3 }));
      expect(file.conditions).to.deep.equal([problem]);
      await file.save(record(2, { publicApi: 'running', workerId: 3 }));
      expect(file.conditions).to.deep.equal([]);
    });

    it('is found at whichever byte it was torn', async () => {
      const file = openStateFile(directory);
      await file.load();
      await file.save(record(12, { buckets: ['1:0', 'ü:1'], publicApi: 'running' }));
      const whole = readFileSync(path);
      // Without its last byte, a newline, it still says all.
      for (let length = 0; length < whole.length - 1; length += 1) {
        writeFileSync(path, whole.subarray(0, length));
        const torn = openStateFile(directory);
        expect((await torn.load()).changes).to.deep.equal({ publicApi: 'stopped' });
      }
      const aside = readdirSync(directory).filter((name) => name.includes('.corrupt-'));
      expect(aside).to.have.lengthOf(whole.length - 1);
    });

    for (const [what, text] of [
      ['zeros', '\0'.repeat(100)],
      ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d])],
      ['null', 'null'],
      ['a list', '[]'],
      ['no format', '{"generation":1,"changes":{}}'],
      ['a wrong generation', '{"format":1,"generation":-1,"changes":{}}'],
      ['an unknown target state', '{"format":1,"generation":1,"changes":{"publicApi":"perhaps"}}'],
      ['an unknown key', '{"format":1,"generation":1,"changes":{"worker":1}}'],
    ] as const) {
      it(`is detected by ${what}`, async () => {
        mkdirSync(directory);
        writeFileSync(path, text);
        const file = openStateFile(directory);
        await file.load();
        expect(file.conditions[0]?.type).to.equal('StateFileCorrupt');
      });
    }

    it('stays in its place while no new one can be written', async () => {
      mkdirSync(directory);
      writeFileSync(path, 'torn');
      const file = openStateFile(directory);
      symlinkSync('/dev/full', `${path}.tmp`);
      await file.load();
      expect(file.conditions[0]?.message).to.match(/could not be written: no space left on device/);
      expect(readFileSync(path, 'utf8')).to.equal('torn');
      await file.save(record(1));
      expect((await loaded()).generation).to.equal(1);
    });
  });

  it('of a newer format is refused, and left as it is', async () => {
    mkdirSync(directory);
    writeFileSync(path, '{"format":2,"wishes":[]}');
    const error = await failure(openStateFile(directory).load());
    expect(error).to.be.instanceOf(InputError);
    expect(error.message).to.match(/newer format \(2; this version reads 1\).*distributor-node reset/);
    expect(readFileSync(path, 'utf8')).to.equal('{"format":2,"wishes":[]}');
  });

  it('can be dropped', async () => {
    const file = openStateFile(directory);
    await file.load();
    await file.save(record(1));
    expect(await file.reset()).to.equal(true);
    expect(await file.reset()).to.equal(false);
    expect((await loaded()).generation).to.equal(0);
  });
});
