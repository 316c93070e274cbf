// The path of the look-up socket: short enough, the same every time, and private to its user.
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { lookUpSocketPath } from '../../src/ipc/look-up-socket.ts';
import { Folder } from '../support/folder.ts';

describe('the path of the look-up socket', () => {
  let temporary: Folder;
  const long = `/${'state/'.repeat(20)}`;

  beforeEach(async () => {
    temporary = await Folder.make();
  });
  afterEach(() => temporary.remove());

  it('is in the state directory', () => {
    expect(lookUpSocketPath('/var/lib/node', temporary.path)).to.equal('/var/lib/node/content.sock');
    const longest = `/${'x'.repeat(86)}`;
    expect(lookUpSocketPath(longest, temporary.path)).to.have.lengthOf(100);
    expect(lookUpSocketPath(`${longest}é`, temporary.path)).to.match(new RegExp(`^${temporary.path}/`));
  });

  it('is in a private folder if that path is too long, the same every time', () => {
    const path = lookUpSocketPath(long, temporary.path);
    expect(dirname(dirname(path))).to.equal(temporary.path);
    expect(statSync(dirname(path)).mode & 0o777).to.equal(0o700);
    expect(lookUpSocketPath(long, temporary.path)).to.equal(path);
    expect(lookUpSocketPath(`${long}other`, temporary.path)).not.to.equal(path);
  });

  it('is never in a folder that other users can access, or that is a link', () => {
    const folder = dirname(lookUpSocketPath(long, temporary.path));
    chmodSync(folder, 0o770);
    expect(() => lookUpSocketPath(long, temporary.path)).to.throw(/other users may use it/);
    rmSync(folder, { recursive: true });
    const elsewhere = join(temporary.path, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, folder);
    expect(() => lookUpSocketPath(long, temporary.path)).to.throw(/belongs to another user/);
  });

  it('fails with a clear message if there is no short path', () => {
    expect(() => lookUpSocketPath(long, `/${'x'.repeat(90)}`)).to.throw(/too long for a socket/);
  });
});
