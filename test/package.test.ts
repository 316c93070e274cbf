// The package that `npm pack` makes: it holds what a node runs on, and nothing of how the node was made.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../src/base/version.ts';
import { Home } from './support/harness.ts';

const { bin, exports, scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

describe('the package', () => {
  let home: Home;
  let unpacked: string;
  let files: string[];
  before(async () => {
    home = await Home.make({ objects: { 1: 'one' } });
    // Without its scripts: they would rebuild the files that other tests are running.
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', home.path], {
      cwd: packageRoot,
      stdio: 'pipe',
    });
    const [tarball = ''] = (await readdir(home.path)).filter((name) => name.endsWith('.tgz'));
    const into = join(home.path, 'unpacked');
    await mkdir(into);
    execFileSync('tar', ['-xzf', join(home.path, tarball), '-C', into]);
    unpacked = join(into, 'package');
    const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
    files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(unpacked.length + 1));
  });
  after(() => home.remove());

  it('holds what its own description names, and the examples', () => {
    const named = [...Object.values<string>(bin), exports['.'], 'examples/catalogue.yml'];
    expect(files).to.include.members([...named.map((path) => path.replace('./', '')), 'LICENSE', 'README.md']);
  });

  it('holds no source, no test and nothing that a run has left', () => {
    const kinds =
      /^(?:dist\/(?:src|machines)\/.+\.(?:js|js\.map|d\.ts)|src\/console\/.+\.(?:css|html|svg)|docs\/.+\.(?:md|png)|machines\/[\w-]+\.svg)$/;
    const others = files.filter((name) => !kinds.test(name) && !name.startsWith('examples/'));
    expect(others).to.have.members(['CONTRIBUTING.md', 'LICENSE', 'README.md', 'machines/README.md', 'package.json']);
  });

  it('runs where its dependencies are', async () => {
    await symlink(join(packageRoot, 'node_modules'), join(unpacked, 'node_modules'));
    const node = home.launch({ cli: join(unpacked, bin['distributor-node']) });
    try {
      await node.up;
      const page = await fetch(node.operatorUrl);
      expect([page.status, page.headers.get('content-type')]).to.deep.equal([200, 'text/html; charset=utf-8']);
      expect(await (await fetch(`http://127.0.0.1:${node.port}/api/v1/assets/1`)).text()).to.equal('one');
    } finally {
      await node.end();
    }
  });

  it('can be installed without the development packages, also from a clone: the build is then left out', () => {
    const said = execFileSync('sh', ['-c', scripts.prepare], { cwd: home.path, encoding: 'utf8' });
    expect(said).to.equal('Not built: the compiler is a development package\n');
    const others = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'postprepare'];
    expect(scripts).not.to.have.any.keys(others);
  });
});
