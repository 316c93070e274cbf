// The other subcommands as real processes: tokens, config, reset, catalogue, diagram, help.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { decodeJwt, jwtVerify } from 'jose';
import { load } from 'js-yaml';
import { commandNames } from '../../machines/commands.ts';
import { version } from '../../src/base/version.ts';
import { lockDirectory } from '../../src/control/lock.ts';
import { run } from './run.ts';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const bin = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

describe('cli', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'cli-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const call = (line: string, env: NodeJS.ProcessEnv = {}) => run(line.split(' '), { cwd, env });

  it('runs by its name and prints its version', async () => {
    expect(statSync(bin).mode & 0o111).to.equal(0o111);
    const { stdout } = await promisify(execFile)(bin, ['--version']);
    expect(stdout).to.equal(`${version}\n`);
  });

  it('prints help with examples for every subcommand on stdout', async () => {
    const names = [
      'start',
      ...commandNames,
      'state',
      'audit',
      'token',
      'catalogue',
      'diagram',
      'openapi',
      'config',
      'reset',
    ];
    const all = await call('--help');
    expect(all.code).to.equal(0);
    for (const name of names) expect(all.stdout).to.match(new RegExp(`^ {2}${name}\\b`, 'm'));
    expect(all.stdout).to.contain('Exit codes:');
    const helps = await Promise.all(names.map((name) => call(`${name} --help`)));
    for (const [index, { code, stdout, stderr }] of helps.entries()) {
      expect([code, stderr], names[index]).to.deep.equal([0, '']);
      expect(stdout).to.contain(`Examples:\n  $ `).and.to.contain(`distributor-node ${names[index]}`);
    }
    expect(helps[1]?.stdout).to.match(/--secret <secret>[^-]*process\s+list/);
  });

  it('exits with 0 when the reader of its output has gone', async () => {
    const child = spawn(process.execPath, [bin, 'config'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (part) => {
      said += part;
    });
    const [code] = await once(child, 'close');
    expect([code, said]).to.deep.equal([0, '']);
  });

  describe('token', () => {
    it('prints only the token', async () => {
      const line = 'token --scope read --expires 2h --sub alice --aud my-node';
      const { code, stdout, stderr } = await call(line, { DISTRIBUTOR_SECRET: secret });
      expect([code, stderr]).to.deep.equal([0, '']);
      expect(stdout).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      const { payload, protectedHeader } = await jwtVerify(stdout.trim(), Buffer.from(secret));
      expect(protectedHeader.alg).to.equal('HS256');
      expect(payload).to.include({ scope: 'read', sub: 'alice', aud: 'my-node' });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).to.equal(7200);
    });

    it('has the scope operate and a lifetime of 15 minutes by default', async () => {
      const { stdout } = await call('token', { DISTRIBUTOR_SECRET: secret });
      const { iat = 0, exp = 0, ...rest } = decodeJwt(stdout.trim());
      expect(exp - iat).to.equal(900);
      expect(rest).to.deep.equal({ scope: 'operate' });
    });

    it('rejects invalid options', async () => {
      for (const line of ['token --expires 15', 'token --expires 0m', 'token --expires soon', 'token --scope all']) {
        expect(await call(line, { DISTRIBUTOR_SECRET: secret }), line).to.include({ code: 40, stdout: '' });
      }
    });
  });

  it('config prints the effective config without secrets', async () => {
    writeFileSync(
      join(cwd, 'config.yml'),
      'operatorApi: { hmacSecret: hush-hush-hush-hush }\nintervals: { saveCacheState: 60 }\n' +
        'endpoints: { storageSquid: "https://user:hush@squid.example/graphql" }\n',
    );
    const env = { DISTRIBUTOR__PUBLIC_API__PORT: '8080' };
    const [yaml, json] = await Promise.all([call('config', env), call('config --output json', env)]);
    expect(yaml.stdout).to.contain('port: 8080').and.not.to.contain('hush');
    expect(JSON.parse(json.stdout)).to.deep.include({ ignored: ['intervals.saveCacheState'] });
    expect(JSON.parse(json.stdout).endpoints.storageSquid).to.equal('https://squid.example/graphql');
    expect(json.stdout).not.to.contain('hush');
  });

  it('accepts --configPath, CONFIG_PATH and -y of the peer', async () => {
    writeFileSync(join(cwd, 'peer.yml'), 'id: peer');
    const lines = ['config --configPath peer.yml -y -o json', 'config --configPath=peer.yml --yes -o json'];
    const ways = await Promise.all([
      ...lines.map((line) => call(line)),
      call('config -o json', { CONFIG_PATH: 'peer.yml' }),
    ]);
    for (const { code, stdout, stderr } of ways) {
      expect([code, stderr]).to.deep.equal([0, '']);
      expect(JSON.parse(stdout)).to.include({ id: 'peer' });
    }
    expect((await call('start --help')).stdout).not.to.match(/configPath|--yes/);
  });

  it('accepts several config files, so that the peer can have its own', async () => {
    writeFileSync(join(cwd, 'peer.yml'), 'id: peer\npublicApi: { port: 8080 }\n');
    writeFileSync(join(cwd, 'ours.yml'), 'publicApi: { workers: 3 }\n');
    const files = [join(cwd, 'peer.yml'), join(cwd, 'ours.yml')];
    const ways = await Promise.all([
      call('config -c peer.yml --config ours.yml -o json'),
      call('config --configPath peer.yml --config ours.yml -o json'),
      call('config -o json', { DISTRIBUTOR_CONFIG: files.join(delimiter) }),
    ]);
    for (const { stdout } of ways) {
      const { publicApi, ...shown } = JSON.parse(stdout);
      expect(shown).to.deep.include({ files, id: 'peer' });
      expect(publicApi).to.include({ port: 8080, workers: 3 });
    }
  });

  describe("given the words of the peer's command line", () => {
    const hinted = async (line: string) => {
      const { code, stdout, stderr } = await call(line);
      expect([code, stdout], line).to.deep.equal([40, '']);
      return stderr;
    };

    it('names the equivalent commands and options', async () => {
      const commands = {
        'node:stop-public-api -u http://localhost:3335': 'distributor-node stop-api --url <url>',
        'node:start-public-api': 'distributor-node start-api --url <url>',
        'node:shutdown -y': 'distributor-node shutdown --url <url>',
        'node:set-worker -w 3': 'distributor-node set-worker --worker-id <number> --url <url>',
        'node:set-buckets -B 1:0 1:1 -s hush-hush': 'distributor-node set-buckets <ids...> --url <url>',
      };
      for (const [line, own] of Object.entries(commands)) {
        expect(await hinted(line))
          .to.contain(`Here it is: ${own}`)
          .and.not.to.contain('hush');
      }
      expect(await hinted('node:set-buckets -a')).to.contain('--all');
    });

    it('names the operations that only the peer has', async () => {
      for (const line of ['leader:create-bucket', 'operator:accept-invitation -B 0', 'dev:init']) {
        expect(await hinted(line)).to.match(/the chain.+joystream-distributor/);
      }
    });

    it('names the equivalent options', async () => {
      const options = {
        'stop-api -u http://localhost:3335': '-u: here it is --url <url>',
        'state -s hush-hush': '-s: here it is --secret-file <file>',
        'set-worker -w 3': '-w: here it is --worker-id <number>',
        'set-worker --workerId=3': '--workerId: here it is --worker-id <number>',
        'set-buckets -B 1:0': '-B: the ids are arguments here, as in set-buckets 1:0 1:1',
        'set-buckets --bucketIds 1:0': '--bucketIds: the ids are arguments here',
        'set-buckets -a': '-a: here it is --all',
      };
      for (const [line, own] of Object.entries(options)) {
        expect(await hinted(line), line)
          .to.contain(own)
          .and.not.to.contain('hush');
      }
      expect(await hinted('stop-api -x')).not.to.contain('here it is');
    });
  });

  describe('reset', () => {
    it('deletes the state file', async () => {
      const path = join(cwd, 'local', 'state.json');
      mkdirSync(join(cwd, 'local'));
      writeFileSync(path, 'anything');
      expect(await call('reset')).to.deep.equal({ code: 0, stdout: `Deleted ${path}\n`, stderr: '' });
      expect(existsSync(path)).to.equal(false);
      expect((await call('reset')).stdout).to.equal(`Nothing to delete: there is no ${path}\n`);
    });

    it('creates nothing if there is no state directory', async () => {
      expect((await call('reset')).code).to.equal(0);
      expect(existsSync(join(cwd, 'local'))).to.equal(false);
    });

    it('refuses while a node is running', async () => {
      const path = join(cwd, 'local', 'state.json');
      const lock = await lockDirectory(join(cwd, 'local'));
      writeFileSync(path, 'anything');
      const { code, stderr } = await call('reset');
      await lock.release();
      expect(code).to.equal(40);
      expect(stderr).to.contain(`in use by another node (process ${process.pid})`);
      expect(existsSync(path)).to.equal(true);
    });
  });

  it('diagram prints the machine as Mermaid, SVG and JSON', async () => {
    const lines = ['diagram', 'diagram --format svg', 'diagram --full --format svg', 'diagram --format json'];
    const [text, picture, full, data] = await Promise.all(lines.map((line) => call(line)));
    expect([text, picture, full, data].map((ended) => [ended?.code, ended?.stderr])).to.deep.equal(
      lines.map(() => [0, '']),
    );
    expect(text?.stdout)
      .to.match(/^(stateDiagram|flowchart|---)/)
      .and.to.contain('stop-api');
    expect(picture?.stdout).to.match(/^<svg [\s\S]*stopped[\s\S]*<\/svg>\n$/);
    expect(full?.stdout.length).to.be.greaterThan(picture?.stdout.length ?? 0);
    expect(JSON.parse(data?.stdout ?? '')).to.include.keys('id', 'nodes', 'edges');
  });

  describe('catalogue', () => {
    it('prints a catalogue for a folder', async () => {
      mkdirSync(join(cwd, 'films'));
      writeFileSync(join(cwd, 'films', 'a.txt'), 'hello');
      const { code, stdout, stderr } = await call('catalogue films --bucket 1:0 --worker 3');
      expect([code, stderr]).to.deep.equal([0, '']);
      const catalogue = load(stdout) as { objects: object[] };
      expect(catalogue).to.deep.include({ workers: [{ id: 3, buckets: ['1:0'] }] });
      expect(catalogue.objects).to.have.lengthOf(1);
      expect(catalogue.objects[0]).to.include({ id: '1', file: 'a.txt', size: 5 });
    });

    it('prints NDJSON, with the names as ids', async () => {
      mkdirSync(join(cwd, 'assets'));
      for (const name of ['42', '7']) writeFileSync(join(cwd, 'assets', name), name);
      const { code, stdout, stderr } = await call(
        'catalogue assets --format ndjson --ids names --bucket 1:0 --worker 3',
      );
      expect([code, stderr]).to.deep.equal([0, '']);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.map(({ id, file, worker }) => [id, file, worker])).to.deep.equal([
        ['42', '42', undefined],
        ['7', '7', undefined],
        [undefined, undefined, 3],
      ]);
    });

    it('requires --ids if all names are decimal, and refuses names that cannot be ids', async () => {
      mkdirSync(join(cwd, 'decimal'));
      writeFileSync(join(cwd, 'decimal', '42'), 'x');
      const undecided = await call('catalogue decimal');
      expect([undecided.code, undecided.stdout]).to.deep.equal([40, '']);
      expect(undecided.stderr).to.contain('--ids names').and.contain('--ids count');
      const counted = await call('catalogue decimal --ids count');
      expect(counted.stdout).to.contain('{ id: "1", file: "42"');
      writeFileSync(join(cwd, 'decimal', 'a.txt'), 'x');
      const named = await call('catalogue decimal --ids names');
      expect([named.code, named.stdout]).to.deep.equal([40, '']);
      expect(named.stderr).to.equal(
        'Names that are not decimal ids: "a.txt". Move these files out of the folder, or use --ids count.\n',
      );
    });

    it('rejects invalid arguments', async () => {
      for (const line of [
        'catalogue',
        'catalogue missing',
        'catalogue . --worker x',
        'catalogue . --bucket \u0007',
        'catalogue . --ids x',
      ]) {
        const { code, stdout, stderr } = await call(line);
        expect([code, stdout], line).to.deep.equal([40, '']);
        expect(stderr).not.to.equal('');
      }
    });
  });
});
