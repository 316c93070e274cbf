// The sample files for systemd and containers: what they say of the node is still so.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { packageRoot } from '../src/base/version.ts';
import { loadConfig } from '../src/config/config.ts';
import { overridesFrom } from '../src/config/environment.ts';
import { deadlinesOf } from '../src/control/deadlines.ts';

const textOf = (name: string): string => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');

describe('examples', () => {
  const unit = textOf('distributor-node.service');
  const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

  it('for systemd leave the workers to the node, and the drain its time', () => {
    expect([setting('Type'), setting('NotifyAccess'), setting('KillMode')]).to.deep.equal(['notify', 'all', 'mixed']);
    const { leaveMs, answerMs } = deadlinesOf(loadConfig({ env: {}, cwd: tmpdir() }));
    expect(Number(setting('TimeoutStopSec'))).to.be.greaterThan((leaveMs + answerMs) / 1000);
    expect(setting('RestrictAddressFamilies')).to.contain('AF_UNIX');
  });

  it('for containers name keys that there are', () => {
    const { environment } = (load(textOf('compose.yml')) as { services: { node: { environment: NodeJS.ProcessEnv } } })
      .services.node;
    const fromImage = textOf('Containerfile').matchAll(/(?:^ENV|-e) (DISTRIBUTOR__\w+)=(\S+)/gm);
    const imageEnv = Object.fromEntries([...fromImage].map(([, name, value]) => [name, value]));
    const env = { ...environment, ...imageEnv };
    expect(Object.keys(env)).to.have.length(6);
    // A catalogue of their own serves nothing without a worker id.
    for (const one of [environment, imageEnv]) {
      expect(one).to.include.keys('DISTRIBUTOR__CATALOGUE', 'DISTRIBUTOR__WORKER_ID');
    }
    expect(overridesFrom(env).errors).to.deep.equal([]);
  });

  it('run the command that the package brings, from where it was installed', () => {
    const command = Object.keys(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).bin)[0];
    const [, prefix] = /npm install --global .*--prefix (\S+)/.exec(unit) ?? [];
    expect(setting('ExecStart')?.startsWith(`${prefix}/bin/${command} start `)).to.equal(true);
    const image = textOf('Containerfile');
    const [, packed] = /npm pack --pack-destination (\S+)/.exec(image) ?? [];
    expect(image).to.contain(`COPY --from=build ${packed} ${packed}\nRUN npm install --global`);
    expect(image).to.contain(`npm install --global --ignore-scripts ${packed}/*.tgz`);
    expect(image).to.contain(`CMD ["${command}", "start"]`);
  });

  it('for containers leave the drain its time, also where the documentation names one', () => {
    const { leaveMs } = deadlinesOf(loadConfig({ env: {}, cwd: tmpdir() }));
    const pages = [textOf('compose.yml'), textOf('../docs/switching.md')];
    const periods = pages.flatMap((page) => page.match(/stop_grace_period: \d+s/g) ?? []);
    expect(periods).to.have.lengthOf(2);
    for (const period of periods) expect(Number.parseInt(period.split(' ')[1] ?? '', 10)).to.be.above(leaveMs / 1000);
  });
});
