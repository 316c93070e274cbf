// The sample files for systemd and containers: what they say of the node is still so.
import { readFileSync } from 'node:fs';
import { cp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { overridesFrom } from '../src/config/env.ts';
import { loadConfig } from '../src/config.ts';
import { deadlinesOf } from '../src/start/deadlines.ts';
import { packageRoot } from '../src/version.ts';
import { Home } from './support/real-node.ts';

const textOf = (name: string): string => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');

describe('examples', () => {
  const unit = textOf('distributor-node.service');
  const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

  it('for systemd leave the workers to the node, and the drain its time', () => {
    expect([setting('Type'), setting('NotifyAccess'), setting('KillMode')]).to.deep.equal(['notify', 'all', 'mixed']);
    const { leaveMs } = deadlinesOf(loadConfig({ env: {}, cwd: tmpdir() }));
    expect(Number(setting('TimeoutStopSec'))).to.be.greaterThan(leaveMs / 1000);
    expect(setting('RestrictAddressFamilies')).to.contain('AF_UNIX');
  });

  it('for containers name keys that there are', () => {
    const { environment } = (load(textOf('compose.yml')) as { services: { node: { environment: NodeJS.ProcessEnv } } })
      .services.node;
    const fromImage = textOf('Containerfile').matchAll(/(?:^ENV|-e) (DISTRIBUTOR__\w+)=(\S+)/gm);
    const imageEnv = Object.fromEntries([...fromImage].map(([, name, value]) => [name, value]));
    const env = { ...environment, ...imageEnv };
    expect(Object.keys(env)).to.have.length(6);
    // A catalogue of their own serves nobody without a worker.
    for (const one of [environment, imageEnv]) {
      expect(one).to.include.keys('DISTRIBUTOR__CATALOGUE', 'DISTRIBUTOR__WORKER_ID');
    }
    expect(overridesFrom(env).faults).to.deep.equal([]);
  });

  it('for containers leave the drain its time, also where the documentation names one', () => {
    const { leaveMs } = deadlinesOf(loadConfig({ env: {}, cwd: tmpdir() }));
    const pages = [textOf('compose.yml'), textOf('../docs/switching.md')];
    const periods = pages.flatMap((page) => page.match(/stop_grace_period: \d+s/g) ?? []);
    expect(periods).to.have.lengthOf(2);
    for (const period of periods) expect(Number.parseInt(period.split(' ')[1] ?? '', 10)).to.be.above(leaveMs / 1000);
  });

  it('for containers copy all that a node needs', async () => {
    const home = await Home.make();
    const app = join(home.path, 'app');
    const copies = textOf('Containerfile').matchAll(/^COPY --from=build \/app\/(\S+) (\S+)$/gm);
    for (const [, from = '', to = ''] of copies) {
      const target = join(app, to, to.endsWith('/') ? from : '');
      if (from === 'node_modules') await symlink(join(packageRoot, from), target);
      else await cp(join(packageRoot, from), target, { recursive: true });
    }
    const node = home.launch({ cli: join(app, 'dist/src/cli.js') });
    try {
      await node.up;
      expect((await fetch(node.operatorUrl)).status).to.equal(200);
    } finally {
      await node.end();
      await home.remove();
    }
  });
});
