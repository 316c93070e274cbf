// Whether this is a container, judged by what container engines leave in it; and what is then said of the operator API.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { containerHint, isInContainer } from '../../src/control/container.ts';

const id = '587ecb2af54f256d58bad63f2658362c587ecb2af54f256d58bad63f2658362c';

describe('a container', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'root-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (path: string, text = ''): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  it('is known by the files and the variable of its engine', () => {
    expect(isInContainer({ env: {}, root })).to.equal(false);
    expect(isInContainer({ env: { container: '' }, root })).to.equal(false);
    expect(isInContainer({ env: { container: 'podman' }, root })).to.equal(true);
    for (const path of ['.dockerenv', 'run/.containerenv']) {
      write(path);
      expect(isInContainer({ env: {}, root }), path).to.equal(true);
      rmSync(join(root, path));
    }
  });

  it('is known by its control group, and a service of the engine beside it is none', () => {
    const groups = {
      [`12:pids:/docker/${id}\n`]: true,
      [`0::/system.slice/docker-${id}.scope\n`]: true,
      [`0::/machine.slice/libpod-${id}.scope/container\n`]: true,
      [`1:name=systemd:/kubepods/besteffort/pod1/${id}\n`]: true,
      [`0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope\n`]: true,
      '0::/lxc.payload.web/system.slice\n': true,
      '0::/\n': false,
      '0::/system.slice/docker.service\n': false,
      '0::/system.slice/containerd.service\n': false,
      '4:memory:/user.slice/user-1000.slice/docker-tools.scope\n': false,
    };
    for (const [text, expected] of Object.entries(groups)) {
      write('proc/self/cgroup', text);
      expect(isInContainer({ env: {}, root }), text).to.equal(expected);
    }
  });

  it('gets a hint where the operator API listens on loopback, and only there', () => {
    const place = { env: { container: 'podman' }, root };
    const hintFor = (host: string) => containerHint({ host, port: 3335 }, place);
    expect(hintFor('127.0.0.1')).to.match(/published port.+operatorApi\.host.+0\.0\.0\.0.+operatorApi\.allowedHosts/);
    for (const host of ['localhost', '127.1.2.3', '::1']) expect(hintFor(host), host).to.be.a('string');
    for (const host of ['0.0.0.0', '::', '192.0.2.7', 'node.example']) expect(hintFor(host), host).to.equal(null);
    expect(containerHint({ host: '127.0.0.1', port: 3335 }, { env: {}, root })).to.equal(null);
    expect(containerHint(null, place)).to.equal(null);
  });
});
