// The lock on a state directory, between real processes: one at a time, and free again however its owner dies.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { lockDirectory } from '../../src/control/lock.ts';
import { InputError } from '../../src/errors.ts';

const lockModule = new URL('../../src/control/lock.js', import.meta.url).href;

/** Of the lock that this process holds. */
function ownAddress(): string {
  const own = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // The one that this list was read by.
    }
  });
  const sockets = readFileSync('/proc/net/unix', 'utf8').matchAll(/(\d+) @(distributor-node-[0-9a-f]+)/g);
  const [, , name] = [...sockets].find(([, inode]) => own.includes(`socket:[${inode}]`)) ?? [];
  return `\0${name}`;
}

describe('lock', () => {
  let folder: string;
  let directory: string;
  let owner: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    directory = join(folder, 'state');
  });
  afterEach(() => {
    owner?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const failure = async (platform: string): Promise<Error> => {
    const outcome = await lockDirectory(directory, platform).catch((error: Error) => error);
    expect(outcome).to.be.instanceOf(InputError);
    return outcome as Error;
  };

  /** Another process that holds the lock. */
  const otherOwner = async (platform: string): Promise<ChildProcess> => {
    const code = `
      import { lockDirectory } from ${JSON.stringify(lockModule)};
      await lockDirectory(${JSON.stringify(directory)}, ${JSON.stringify(platform)});
      console.log('locked');
      setInterval(() => {}, 1000);`;
    owner = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(owner.stdout ?? owner, 'data');
    return owner;
  };

  const platforms = process.platform === 'linux' ? ['linux', 'other'] : ['other'];
  for (const platform of platforms) {
    describe(platform === 'linux' ? 'by a socket' : 'by a file', () => {
      it('makes the directory, and is free again when released', async () => {
        const lock = await lockDirectory(directory, platform);
        expect(existsSync(directory)).to.equal(true);
        await failure(platform);
        await lock.release();
        await (await lockDirectory(directory, platform)).release();
      });

      it('is one for all names of a directory', async () => {
        const lock = await lockDirectory(directory, platform);
        symlinkSync(directory, join(folder, 'other-name'));
        directory = join(folder, 'other-name');
        await failure(platform);
        await lock.release();
      });

      it('names the process that holds it, and dies with it', async () => {
        const { pid } = await otherOwner(platform);
        const { message } = await failure(platform);
        expect(message).to.contain(`${directory} is in use by another node (process ${pid}): `);
        expect(message).not.to.contain('\n');

        owner?.kill('SIGKILL');
        await once(owner as ChildProcess, 'exit');
        await (await lockDirectory(directory, platform)).release();
      });
    });
  }

  if (process.platform === 'linux') {
    it('by a socket is given back though somebody who asked for its owner stays', async () => {
      const lock = await lockDirectory(directory, 'linux');
      const stranger = connect({ path: ownAddress(), allowHalfOpen: true });
      await once(stranger.resume(), 'end');
      await lock.release();
      stranger.destroy();
    });

    it('by a socket is that of the directory, not of its name: in another container it may be another one', async () => {
      const lock = await lockDirectory(directory, 'linux');
      renameSync(directory, join(folder, 'moved'));
      await (await lockDirectory(directory, 'linux')).release();
      await lock.release();
    });

    it('by a socket is held by a process that is stopped, too', async () => {
      (await otherOwner('linux')).kill('SIGSTOP');
      expect((await failure('linux')).message).to.match(/in use by another node: stop that one/);
    });
  }

  it('by a file is not held by what was left behind', async () => {
    const lock = await lockDirectory(directory, 'other');
    await lock.release();
    for (const left of ['', 'no number', '99999999']) {
      writeFileSync(join(directory, 'lock'), left);
      const again = await lockDirectory(directory, 'other');
      expect(readFileSync(join(directory, 'lock'), 'utf8')).to.equal(`${process.pid}`);
      await again.release();
    }
  });

  it('says why where there can be no such directory', async () => {
    writeFileSync(directory, '');
    expect((await failure(process.platform)).message).to.match(/^The state directory .* cannot be used: EEXIST/);
  });
});
