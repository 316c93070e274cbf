// The long form of the package's test, `npm run test:install`: installed as an operator installs it, in a place of its own.
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot, version } from '../src/base/version.ts';
import { Home } from './support/harness.ts';

describe('an installation', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string =>
    `${execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })}`;

  /** What a clone holds: nothing that was built or installed here. */
  function clone(name: string): string {
    const to = join(folder, name);
    const list = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: packageRoot });
    for (const file of list.split('\0')) {
      if (file !== '' && existsSync(join(packageRoot, file))) cpSync(join(packageRoot, file), join(to, file));
    }
    return to;
  }

  it('of the packed node runs, with the tested versions of its dependencies and none for development', async () => {
    const source = clone('source');
    symlinkSync(join(packageRoot, 'node_modules'), join(source, 'node_modules'));
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    run('npm', ['pack', '--pack-destination', packed], { cwd: source });
    expect(existsSync(join(source, 'npm-shrinkwrap.json'))).to.equal(false);
    const [tarball = ''] = readdirSync(packed);

    const prefix = join(folder, 'prefix');
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-fund', '--no-audit'];
    run('npm', ['install', '--global', '--prefix', prefix, ...flags, join(packed, tarball)], { cwd: folder });
    const command = join(prefix, 'bin', 'distributor-node');
    expect(run(command, ['--version'])).to.equal(`${version}\n`);
    const modules = join(prefix, 'lib', 'node_modules', 'distributor-node', 'node_modules');
    expect(readdirSync(modules)).to.include('koa').and.not.include('typescript').and.not.include('mocha');
    const versionOf = (place: string, name: string) =>
      run(process.execPath, ['--print', `require(${JSON.stringify(join(place, name, 'package.json'))}).version`]);
    for (const name of ['koa', 'xstate', 'koffi']) {
      expect(versionOf(modules, name), name).to.equal(versionOf(join(packageRoot, 'node_modules'), name));
    }

    const home = await Home.make({ objects: { 1: 'one' } });
    const node = home.launch({ cli: command });
    try {
      await node.up;
      expect(await (await fetch(`http://127.0.0.1:${node.port}/api/v1/assets/1`)).text()).to.equal('one');
      expect((await node.command('shutdown')).status).to.equal(200);
      expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    } finally {
      await node.end();
      await home.remove();
    }
  });

  it('in a clone may leave the development packages out', () => {
    const place = clone('production');
    run('npm', ['ci', '--omit=dev', '--prefer-offline', '--no-fund', '--no-audit'], { cwd: place });
    const modules = readdirSync(join(place, 'node_modules'));
    expect(modules).to.include('koa').and.not.include('typescript');
  });
});
