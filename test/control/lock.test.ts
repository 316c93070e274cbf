// The lock on a state directory, between real processes: one at a time, and free again however its owner dies.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { InputError } from '../../src/base/errors.ts';
import { type Lock, lockDirectory } from '../../src/control/lock.ts';
import { otherNamespaces } from '../support/namespaces.ts';
import { until } from '../support/until.ts';

const lockModule = new URL('../../src/control/lock.js', import.meta.url).href;

describe('lock', () => {
  let folder: string;
  let directory: string;
  let file: string;
  const children: ChildProcess[] = [];
  const locks: Lock[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    directory = join(folder, 'state');
    file = join(directory, 'lock');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      // It ends what was started by it, too.
      child.stdin?.destroy();
    }
    for (const lock of locks.splice(0)) await lock.release();
    rmSync(folder, { recursive: true });
  });

  const locked = async (): Promise<Lock> => {
    const lock = await lockDirectory(directory);
    locks.push(lock);
    return lock;
  };
  const refusal = async (): Promise<string> => {
    const outcome = await lockDirectory(directory).catch((error: Error) => error);
    expect(outcome).to.be.instanceOf(InputError);
    const { message } = outcome as Error;
    expect(message).not.to.match(/[\p{Cc}\p{Cf}]/u);
    return message;
  };

  /** Another process that takes the lock and says so, or says why it cannot; `more` is done with the lock held. */
  const script = (at: string, more = ''): string[] => {
    const code = `
      import { spawn } from 'node:child_process';
      import { lockDirectory } from ${JSON.stringify(lockModule)};
      await lockDirectory(${JSON.stringify(at)}).then(() => { ${more}; console.log('locked'); }, (error) => console.log(error.message));
      setInterval(() => {}, 1000);`;
    return [process.execPath, '--input-type=module', '--eval', code];
  };
  const said = async ([tool = '', ...args]: readonly string[]): Promise<{ child: ChildProcess; words: string }> => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const [words] = await once(child.stdout ?? child, 'data');
    return { child, words: `${words}`.trim() };
  };
  const otherOwner = async (more?: string): Promise<ChildProcess> => {
    const { child, words } = await said(script(directory, more));
    expect(words).to.equal('locked');
    return child;
  };

  it('makes the directory, is free again when released, and leaves nothing behind', async () => {
    const lock = await lockDirectory(directory);
    await refusal();
    await lock.release();
    expect(existsSync(file)).to.equal(false);
    await (await lockDirectory(directory)).release();
    expect(existsSync(directory)).to.equal(true);
  });

  it('is one for all names of a directory', async () => {
    await locked();
    symlinkSync(directory, join(folder, 'other-name'));
    directory = join(folder, 'other-name');
    await refusal();
  });

  const elsewhere = otherNamespaces();
  const where = elsewhere?.words ?? 'in this namespace (others cannot be made here)';
  it(`is one for all processes of a kernel, also ${where}`, async () => {
    await locked();
    const alias = join(folder, 'alias');
    mkdirSync(alias);
    const command = elsewhere?.command(directory, alias, script(alias)) ?? script(directory);
    const { words } = await said(command);
    expect(words).to.contain(`in use by another node (process ${process.pid}): `);
  });

  it('names the process that holds it, and dies with it', async () => {
    const owner = await otherOwner();
    expect(await refusal()).to.contain(`${directory} is in use by another node (process ${owner.pid}): `);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await locked();
  });

  it('is held by a process that is stopped, too', async () => {
    const owner = await otherOwner();
    owner.kill('SIGSTOP');
    expect(await refusal()).to.contain(`(process ${owner.pid})`);
  });

  it('does not live on in the children of its owner', async () => {
    const owner = await otherOwner(`spawn('cat', { stdio: ['inherit', 'inherit', 'ignore'] })`);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    // The other end of its output is still open: in the child.
    expect(owner.stdout?.readableEnded).to.equal(false);
    await locked();
  });

  it('cannot be taken by those who may only read the directory', async () => {
    mkdirSync(directory, { mode: 0o755 });
    writeFileSync(file, '', { mode: 0o666 });
    await locked();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('is not held by a stale lock file, and ignores its content', async () => {
    mkdirSync(directory);
    for (const left of ['', 'no JSON', '{"pid":99999999}', 'x'.repeat(100_000)]) {
      writeFileSync(file, left);
      const lock = await lockDirectory(directory);
      expect(JSON.parse(readFileSync(file, 'utf8'))).to.include({ pid: process.pid, host: hostname() });
      await lock.release();
    }
  });

  it('names another host, and ignores untrusted content', async () => {
    await locked();
    const own = JSON.parse(readFileSync(file, 'utf8'));
    const holderIn = async (text: string) => {
      writeFileSync(file, text);
      return /another node(.*?): stop/.exec(await refusal())?.[1];
    };
    expect(await holderIn(JSON.stringify({ ...own, pid: 7, host: 'c0ffee' }))).to.equal(' (process 7 on c0ffee)');
    expect(await holderIn(JSON.stringify({ ...own, pid: 7, boot: '0' }))).to.equal(' (process 7 of another machine)');
    for (const host of ['\u001b[31mred', 'a b', 'x'.repeat(300), '', 5]) {
      expect(await holderIn(JSON.stringify({ ...own, host })), `${host}`).to.equal(` (process ${process.pid})`);
    }
    for (const pid of [-1, 0, 1.5, '7', null, '\u001b[2J']) {
      expect(await holderIn(JSON.stringify({ ...own, pid })), `${pid}`).to.equal('');
    }
    for (const text of ['', '7', 'null', '[]', `{"pid":7,"more":"${'x'.repeat(10_000)}"}`]) {
      expect(await holderIn(text), text.slice(0, 20)).to.equal('');
    }
  });

  it('notices that its directory is not the one at its path any more, and that it is again', async () => {
    const lock = await locked();
    let changes = 0;
    lock.watch(10, () => {
      changes += 1;
    });
    await lock.confirm();
    expect(lock.conditions).to.deep.equal([]);

    renameSync(directory, `${directory}.away`);
    await until(() => changes === 1);
    expect(lock.conditions.map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['StateDirectoryReplaced', 'Gone'],
    ]);
    // What is to be saved says so itself, in the words of the disk.
    await lock.confirm();

    const other = await lockDirectory(directory);
    await until(() => changes === 2);
    expect(lock.conditions[0]).to.deep.include({ type: 'StateDirectoryReplaced', reason: 'Replaced' });
    const failure = await lock.confirm().catch((error: Error) => error.message);
    expect(failure).to.equal('the directory is not the one that this node has locked');

    // What is released is what is locked, not what stands in its place.
    await other.release();
    const another = await lockDirectory(directory);
    renameSync(directory, `${directory}.other`);
    renameSync(`${directory}.away`, directory);
    await until(() => lock.conditions.length === 0);
    await lock.confirm();
    await another.release();
    expect(existsSync(file)).to.equal(true);
  });

  it('says why where there can be no such directory, or no such file', async () => {
    writeFileSync(directory, '');
    expect(await refusal()).to.match(/^The state directory .* cannot be used: EEXIST/);
    rmSync(directory);
    mkdirSync(file, { recursive: true });
    expect(await refusal()).to.match(/^The state directory .* cannot be used: EISDIR/);
    rmSync(file, { recursive: true });
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'untouched');
    symlinkSync(secret, file);
    expect(await refusal()).to.match(/^The state directory .* cannot be used: ELOOP/);
    expect(readFileSync(secret, 'utf8')).to.equal('untouched');
  });
});
