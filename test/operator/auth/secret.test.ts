// The operator's secret: made once, found again, refused when short, never changed.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { InputError } from '../../../src/base/errors.ts';
import { loadSecret, secretOf } from '../../../src/operator/auth/secret.ts';

describe('the operator secret', () => {
  let folder: string;
  let hmacSecretFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secret-'));
    hmacSecretFile = join(folder, 'local', 'operator-secret');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const load = (make: boolean, hmacSecret: string | null = null) =>
    loadSecret({ hmacSecret, hmacSecretFile }, { make });
  const failure = async (loading: Promise<unknown>): Promise<string> => {
    const error: unknown = await loading.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    return error instanceof Error ? error.message : '';
  };

  it('is created on first start, readable by its owner only, and loaded afterwards', async () => {
    const made = await load(true);
    expect(made).to.include({ made: true, file: hmacSecretFile });
    expect(made.conditions).to.deep.equal([]);
    expect((await stat(hmacSecretFile)).mode & 0o777).to.equal(0o600);
    const text = await readFile(hmacSecretFile, 'utf8');
    expect(text).to.match(/^[\w-]{43}\n$/);
    for (const make of [true, false]) {
      const found = await load(make);
      expect(Buffer.from(found.bytes).toString()).to.equal(text.trim());
      expect(found.made).to.equal(false);
    }
  });

  it('is created completely or not at all', async () => {
    await mkdir(join(folder, 'local'));
    await symlink('/dev/full', `${hmacSecretFile}.tmp`);
    expect(await failure(load(true))).to.include('cannot be made in');
    expect(await readdir(join(folder, 'local'))).to.deep.equal([]);
    expect((await load(true)).made).to.equal(true);
  });

  it('is read without one trailing newline', async () => {
    hmacSecretFile = join(folder, 'secret');
    const kept = ` ${'s'.repeat(32)} `;
    for (const [text, expected] of [
      [kept, kept],
      [`${kept}\n`, kept],
      [`${kept}\r\n`, kept],
      [`${kept}\n\n`, `${kept}\n`],
    ]) {
      await writeFile(hmacSecretFile, text ?? '');
      expect(Buffer.from((await load(false)).bytes).toString()).to.equal(expected);
    }
  });

  it('is taken from the config if set there, without touching its file', async () => {
    const secret = await load(true, 'ü'.repeat(16));
    expect(secret).to.include({ file: null, made: false });
    expect(secret.bytes).to.have.length(32);
    await failure(load(false));
  });

  it('is refused under 16 bytes, with instructions and without quoting it', async () => {
    hmacSecretFile = join(folder, 'secret');
    await writeFile(hmacSecretFile, 'fifteen bytes..\n');
    const message = await failure(load(true));
    expect(message)
      .to.include(`${hmacSecretFile} has 15 bytes`)
      .and.include('To make one: head -c 32 /dev/urandom | base64');
    expect(message).not.to.include('fifteen');
    expect(await failure(load(false, 'short'))).to.include('operatorApi.hmacSecret');
    expect(() => secretOf('', '--secret')).to.throw(InputError, '--secret has 0 bytes');
  });

  it('causes a condition under 32 bytes', async () => {
    const { conditions } = await load(false, 'x'.repeat(31));
    expect(conditions.map(({ type }) => type)).to.deep.equal(['ShortSecret']);
    expect((await load(false, 'x'.repeat(16))).bytes).to.have.length(16);
    expect((await load(false, 'x'.repeat(32))).conditions).to.deep.equal([]);
  });

  it('names the file that is missing, unreadable or cannot be created', async () => {
    expect(await failure(load(false))).to.equal(
      `The operator secret cannot be read from ${hmacSecretFile}: there is no such file`,
    );
    await writeFile(join(folder, 'local'), 'in the way');
    expect(await failure(load(true))).to.include('cannot be made in');
    hmacSecretFile = folder;
    expect(await failure(load(false))).to.include('cannot be read from');
  });
});
