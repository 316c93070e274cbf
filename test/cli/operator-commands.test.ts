// The subcommands that call the operator API, as real processes against a stand-in: what they send, print and exit with.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { condition } from '../../src/base/condition.ts';
import { type Ended, type FakeNode, fakeNode, run } from './run.ts';

const secret = 'a-secret-of-more-than-thirty-two-bytes';

const state = {
  id: 'my-node',
  version: '0.1.0',
  startedAt: '2026-11-23T08:00:00.000Z',
  node: 'running',
  publicApi: 'stopped',
  since: '2026-11-23T08:00:00.412Z',
  generation: 7,
  settings: { workerId: 3, buckets: ['1:0'] },
  effectiveBuckets: ['1:0'],
  allowed: ['start-api', 'shutdown'],
  desired: { publicApi: 'stopped', overridden: ['publicApi', 'workerId'] },
  endpoints: { publicApi: 'http://0.0.0.0:3334', operatorApi: 'http://127.0.0.1:3335' },
  lameDuck: { until: '2026-11-23T08:00:10.000Z' },
  drain: { connections: 3, bytesLeft: 4096, deadline: '2026-11-23T08:00:30.000Z' },
  workers: [{ pid: 4711, state: 'draining' }],
  lastCrash: { at: '2026-11-23T07:59:00.000Z', what: 'control', pid: 4, reason: 'Killed', message: 'It was killed' },
  conditions: [{ ...condition('StateNotSaved', 'WriteFailed', 'no space left'), since: '2026-11-23T08:00:00.000Z' }],
};

const conflict = {
  type: 'about:blank',
  title: 'Conflict',
  status: 409,
  detail: 'Already stopped',
  message: 'Already stopped',
  state: { node: 'running', publicApi: 'stopped' },
  allowed: ['start-api', 'shutdown'],
};

describe('cli operate', () => {
  let cwd: string;
  let node: FakeNode;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'cli-'));
    node = await fakeNode(secret, { status: 200, document: state });
  });
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
    rmSync(cwd, { recursive: true });
  });

  const call = (line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    run(line.split(' '), { cwd, env: { DISTRIBUTOR_URL: node.url, DISTRIBUTOR_SECRET: secret, ...env } });

  it('sends each command with its body and a token for this one request', async () => {
    const expected: [string, string, object][] = [
      ['stop-api', 'POST /api/v1/stop-api', {}],
      ['start-api', 'POST /api/v1/start-api', {}],
      ['shutdown', 'POST /api/v1/shutdown', {}],
      ['set-worker --worker-id 3', 'POST /api/v1/set-worker', { workerId: 3 }],
      ['set-worker --worker-id 0', 'POST /api/v1/set-worker', { workerId: 0 }],
      ['set-buckets 1:0 1:1', 'POST /api/v1/set-buckets', { buckets: ['1:0', '1:1'] }],
      ['set-buckets --all', 'POST /api/v1/set-buckets', {}],
      ['state', 'GET /api/v1/state', {}],
    ];
    const ended = await Promise.all(expected.map(([line]) => call(line)));
    expect(ended.map(({ code, stderr }) => [code, stderr])).to.deep.equal(expected.map(() => [0, '']));
    const jtis = new Set(node.asked.map(({ claims }) => claims?.jti));
    expect(jtis.size).to.equal(expected.length);
    for (const [, line, body] of expected) {
      const asked = node.asked.find(
        (one) => one.line === line && one.body === (line.startsWith('GET') ? '' : JSON.stringify(body)),
      );
      expect(asked?.claims, line).to.deep.include({ reqUrl: line.split(' ')[1], reqBody: body });
    }
  });

  it('prints the state and the conditions', async () => {
    const [done, shown] = await Promise.all([call('stop-api'), call('state')]);
    expect(done.stdout).to.equal(
      'stop-api: done. node running, public API stopped; worker 3, buckets 1:0.\n' +
        '! StateNotSaved (critical, since 2026-11-23T08:00:00.000Z): no space left\n' +
        '  What to do: Free space, or repair the disk or the permissions of the state directory.\n',
    );
    expect(shown.stdout).to.contain('my-node: node running, public API stopped, since 2026-11-23T08:00:00.412Z\n');
    expect(shown.stdout).to.match(/allowed +start-api, shutdown\n/);
    expect(shown.stdout).to.match(/lame duck +not ready, viewers are served until 2026-11-23T08:00:10.000Z\n/);
    expect(shown.stdout).to.match(/draining +3 connections, 4096 bytes left, until 2026-11-23T08:00:30.000Z\n/);
    expect(shown.stdout).to.match(/overridden +publicApi, workerId \(by commands\)\n/);
    expect(shown.stdout).to.match(/last crash +2026-11-23T07:59:00.000Z, It was killed\n/);
  });

  it('prints the complete answer as JSON with --output json, also a refusal', async () => {
    const done = await call('state --output json');
    expect(JSON.parse(done.stdout)).to.deep.equal(state);
    node.answer = { status: 409, document: conflict };
    const refused = await call('stop-api -o json');
    expect(refused).to.deep.include({ code: 22, stderr: '' });
    expect(JSON.parse(refused.stdout)).to.deep.equal(conflict);
  });

  it('prints why a command was refused, the state, and the legal commands', async () => {
    node.answer = { status: 409, document: conflict };
    expect(await call('stop-api')).to.deep.equal({
      code: 22,
      stdout: '',
      stderr: '409 Already stopped\nNow: node running, public API stopped.\nLegal now: start-api, shutdown.\n',
    });
  });

  it('prints the preview of a dry run', async () => {
    const lot = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };
    const before = { node: 'running', publicApi: 'running', generation: 7, settings: { workerId: 3, buckets: null } };
    const preview = {
      dryRun: true,
      command: 'set-buckets',
      before: { ...before, effectiveBuckets: ['3:0', '3:1'], allowed: [] },
      after: {
        ...{ ...before, generation: 8, settings: { workerId: 3, buckets: ['9:9'] } },
        ...{ effectiveBuckets: ['9:9'], allowed: [] },
      },
      objects: { dropped: { count: 3, bytes: 30, sizeUnknown: 1, ids: ['1', '2'] }, gained: lot },
      conditions: [condition('UnknownBuckets', 'NotInDirectory', 'No 9:9.')],
    };
    node.answer = { status: 200, document: preview };
    const [text, json] = await Promise.all([
      call('set-buckets 9:9 --dry-run'),
      call('set-buckets 9:9 --dry-run -o json'),
    ]);
    expect(text).to.deep.equal({
      code: 0,
      stdout:
        'set-buckets: would succeed. This is a dry run: nothing has changed.\n' +
        '  state         node running, public API running (unchanged)\n' +
        '  settings      worker 3, all its buckets → worker 3, buckets 9:9\n' +
        '  distributes   buckets 3:0 3:1 → buckets 9:9\n' +
        '  generation    7 → 8\n' +
        '  drops         3 objects, 30 bytes and 1 of unknown size: 1 2 and 1 more\n' +
        '  gains         nothing\n' +
        '! UnknownBuckets: No 9:9.\n',
      stderr: '',
    });
    expect(JSON.parse(json.stdout)).to.deep.equal(preview);
    expect(node.asked[0]?.line).to.equal('POST /api/v1/set-buckets?dryRun=true');
    expect(node.asked[0]?.claims).to.include({ reqUrl: '/api/v1/set-buckets?dryRun=true' });
  });

  it('warns if a node without dry runs has carried out the command', async () => {
    const { code, stdout, stderr } = await call('stop-api --dry-run');
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/does not support dry runs: it has carried out the command/);
  });

  it('sends --if-match as a precondition', async () => {
    const detail = 'The node has moved on';
    node.answer = { status: 412, document: { detail, state: { node: 'running', publicApi: 'running' }, allowed: [] } };
    const typed = ['7', '"7.ab_-1.cd"'];
    const ended = await Promise.all(typed.map((tag) => call(`stop-api --if-match ${tag}`)));
    expect(ended.map(({ code }) => code)).to.deep.equal([22, 22]);
    expect(ended[0]?.stderr).to.match(/^412 The node has moved on\nNow: node running/);
    expect(node.asked.map(({ ifMatch }) => ifMatch)).to.have.members(['"7"', '"7.ab_-1.cd"']);
    const wrong = await call('stop-api --if-match W/"7"');
    expect(wrong.code).to.equal(40);
  });

  it('prints each error of a body', async () => {
    const errors = [{ path: '/buckets/0', message: 'must be a valid bucket-id' }];
    node.answer = { status: 400, document: { title: 'Bad Request', detail: 'The body is not valid', errors } };
    const { code, stderr } = await call('set-buckets nonsense');
    expect(code).to.equal(20);
    expect(stderr).to.equal('400 The body is not valid\n  /buckets/0: must be a valid bucket-id\n');
    const detail = 'dryRun must be true or false, once';
    node.answer = { status: 400, document: { detail, errors: [{ path: '', message: detail }] } };
    expect((await call('stop-api')).stderr).to.equal(`400 ${detail}\n`);
  });

  it('prints other refusals and exits with their code', async () => {
    for (const [status, expected] of [
      [403, 21],
      [413, 20],
      [500, 1],
    ] as const) {
      node.answer = { status, document: { detail: 'Because' } };
      const { code, stdout, stderr } = await call('stop-api');
      expect([code, stdout]).to.deep.equal([expected, '']);
      expect(stderr).to.contain(`${status} Because`);
    }
  });

  it('exits with 23 when the answer times out', async () => {
    node.answer = undefined;
    const { code, stderr } = await call('stop-api --timeout 300ms');
    expect(code).to.equal(23);
    expect(stderr).to.match(/No answer .* within 300 ms/);
  });

  it('exits with 24 when no server answers, or one that is not a node', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    const address = await new Promise<string>((resolve) =>
      free.once('listening', () => resolve(`http://127.0.0.1:${(free.address() as { port: number }).port}`)),
    );
    await new Promise((resolve) => free.close(resolve));
    const absent = await call(`state --url ${address}`);
    expect(absent).to.include({ code: 24, stdout: '' });
    expect(absent.stderr).to.contain(`${address} is not reachable`);

    for (const answer of [
      { status: 200, document: '<html>' },
      { status: 200, document: {} },
      { status: 302, document: '' },
    ]) {
      node.answer = answer;
      const { code, stderr } = await call('state');
      expect(code).to.equal(24);
      expect(stderr).to.contain('is not the operator API of a node');
    }
  });

  it('exits with 24 when the connection closes before the answer, and warns that the command may have run', async () => {
    const dying = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(dying, 'listening');
    const url = `http://127.0.0.1:${(dying.address() as AddressInfo).port}`;
    const { code, stderr } = await call(`stop-api --url ${url}`);
    dying.close();
    expect(code).to.equal(24);
    expect(stderr).to.contain(`${url} closed the connection before it had answered`);
    expect(stderr).to.contain('may have been carried out');
  });

  it('exits with 40 and sends nothing for invalid arguments', async () => {
    const lines: [string, RegExp][] = [
      ['set-buckets', /give either buckets or --all/],
      ['set-buckets 1:0 --all', /give either buckets or --all/],
      ['set-worker', /required option '--worker-id <number>'/],
      ['set-worker --worker-id -1', /must be a whole number from 0/],
      ['set-worker --worker-id 1e3', /must be a whole number from 0/],
      ['set-worker --worker-id 9007199254740992', /must be a whole number from 0/],
      ['stop-api 1:0', /too many arguments/],
      ['set-bucket 1:0', /unknown command 'set-bucket'\s+\(Did you mean set-buckets\?\)/],
      ['state --url localhost:3335', /must look like http:\/\/localhost:3335/],
      ['state --url ftp://localhost', /must look like http/],
      ['state --timeout 10', /number with a unit/],
      ['stop-api --if-match "€"', /must be a generation like 7/],
      ['state --output xml', /Allowed choices are text, json/],
      ['state --secret short', /has 5 bytes/],
      ['state --secret-file missing', /missing: there is no such file/],
      ['state --sekret x', /unknown option '--sekret'/],
      ['', /Usage/],
    ];
    const ended = await Promise.all(
      lines.map(([line]) =>
        run(line === '' ? [] : line.split(' '), {
          cwd,
          env: { DISTRIBUTOR_URL: node.url, DISTRIBUTOR_SECRET: secret },
        }),
      ),
    );
    for (const [index, { code, stdout, stderr }] of ended.entries()) {
      const [line, words = /$/] = lines[index] ?? [];
      expect([code, stdout], line).to.deep.equal([40, '']);
      expect(stderr, line).to.match(words);
    }
    expect(node.asked).to.deep.equal([]);
  });

  describe('takes URL and secret', () => {
    const elsewhere = 'http://127.0.0.1:9';
    const wrong = 'a-wrong-secret-of-more-than-32-bytes';
    const write = (name: string, text: string) => writeFileSync(join(cwd, name), text);
    const nodeConfig = (key = secret) => `operatorApi: { host: 0.0.0.0, port: ${node.port}, hmacSecret: ${key} }\n`;

    const isRight = async (args: string[], env: NodeJS.ProcessEnv): Promise<void> => {
      const { code, stderr } = await run(['state', ...args], { cwd, env });
      expect([code, stderr]).to.deep.equal([0, '']);
      expect(node.asked.at(-1)?.claims).not.to.equal(null);
    };

    it('from the options first', async () => {
      write('config.yml', 'not: valid');
      write('right', `${secret}\n`);
      const env = { DISTRIBUTOR_URL: elsewhere, DISTRIBUTOR_SECRET: wrong, DISTRIBUTOR_SECRET_FILE: 'missing' };
      await isRight(['--url', `${node.url}/api/v1/`, '--secret', secret], env);
      await isRight(['--url', node.url, '--secret', wrong, '--secret-file', 'right'], env);
    });

    it('then from the environment', async () => {
      write('config.yml', nodeConfig(wrong).replace(String(node.port), '9'));
      write('right', secret);
      await isRight([], { DISTRIBUTOR_URL: node.url, DISTRIBUTOR_SECRET: secret });
      await isRight([], { DISTRIBUTOR_URL: node.url, DISTRIBUTOR_SECRET: wrong, DISTRIBUTOR_SECRET_FILE: 'right' });
    });

    it('then from the config of the node on this machine', async () => {
      write('config.yml', nodeConfig());
      await isRight([], {});
      write('other.yml', `operatorApi: { port: ${node.port} }\ndirectories: { state: here }\n`);
      mkdirSync(join(cwd, 'here'));
      write('here/operator-secret', `${secret}\n`);
      await isRight(['-c', 'other.yml'], {});
      await isRight([], { DISTRIBUTOR_CONFIG: 'other.yml' });
    });

    it('or reports what is missing', async () => {
      write('config.yml', 'id: quiet\n');
      const quiet = await run(['state'], { cwd });
      expect(quiet.code).to.equal(40);
      expect(quiet.stderr).to.match(/config\.yml has no operatorApi section.*pass --url/);
      write('config.yml', 'operatorApi: { port: 0 }\n');
      expect((await run(['state'], { cwd })).stderr).to.match(/operatorApi.port is 0.*pass the --url/);
      write('config.yml', 'operatorApi: {}\n');
      expect((await run(['state'], { cwd })).stderr).to.match(
        /local\/operator-secret: there is no such file\n.*first start/,
      );
      write('config.yml', 'operatorApi: { prot: 1 }\n');
      const invalid = await run(['state'], { cwd });
      expect(invalid).to.include({ code: 40, stdout: '' });
      expect(invalid.stderr).to.match(/line 1: operatorApi.prot: no such key; did you mean operatorApi.port\?/);
    });

    it('and names the secret that the node rejected', async () => {
      node.answer = { status: 401, document: { detail: "The signature is not that of this node's secret" } };
      write('wrong', wrong);
      const { code, stderr } = await call('state --secret-file wrong');
      expect(code).to.equal(21);
      expect(stderr)
        .to.contain(`signed with the secret from ${join(cwd, 'wrong')}`)
        .and.not.to.contain(wrong);
    });
  });
});
