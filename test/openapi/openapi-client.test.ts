// A client generated from the API description, and the samples in it, against a real node.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import Swagger, { type Call, type Client, type ClientAnswer } from 'swagger-client';
import { commandNames } from '../../machines/commands.ts';
import { openapiDocument } from '../../src/openapi/openapi-document.ts';
import type { CodeSample } from '../../src/openapi/samples.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';
import { scrapeOf } from '../support/scrape.ts';
import { until } from '../support/until.ts';

interface WithSamples {
  readonly 'x-codeSamples'?: readonly CodeSample[];
}

/** Uses a new connection: the node may close an idle one while this process is busy, and commands are not retried. */
const ask: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('Connection', 'close');
  return fetch(input, { ...init, headers });
};

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

describe('a real node, by its API description', () => {
  let home: Home;
  let node: RealNode;
  let token: string;

  before(async () => {
    home = await Home.make({ objects: { 1: 'one', 2: 'two' }, publicApi: { workers: 2 } });
    node = await home.start();
    token = await accessToken();
  });

  after(async () => {
    await node.end();
    await home.remove();
  });

  /** Samples use the default address. */
  const here = (source: string): string => source.replaceAll('http://localhost:3335', node.operatorUrl);

  const samplesOf = (path: string, method: 'get' | 'post', lang: CodeSample['lang']): string[] => {
    const items = openapiDocument.paths as Readonly<Record<string, Readonly<Record<string, WithSamples>>>>;
    const samples = items[path]?.[method]?.['x-codeSamples'] ?? [];
    return samples.filter((sample) => sample.lang === lang).map(({ source }) => here(source));
  };

  const inShell = async (source: string): Promise<unknown> => {
    const { stdout } = await run('sh', ['-c', source.replace('curl ', 'curl --silent ')], {
      env: { PATH: process.env.PATH, TOKEN: token },
    });
    return JSON.parse(stdout);
  };

  const inJavaScript = async (source: string): Promise<unknown> => {
    const logged: unknown[] = [];
    const console = { log: (answer: unknown) => logged.push(answer) };
    await runInNewContext(source, { fetch: ask, token, console });
    return logged[0];
  };

  // In this order every command is legal.
  const order = ['set-worker', 'set-buckets', 'stop-api', 'start-api'] as const;

  for (const [lang, play] of [
    ['Shell', inShell],
    ['JavaScript', inJavaScript],
  ] as const) {
    it(`runs its samples, ${lang}`, async () => {
      for (const name of order) {
        const [source, ...more] = samplesOf(`/${name}`, 'post', lang);
        expect(more).to.deep.equal([]);
        expect(await play(source ?? ''), source).to.deep.include({ id: 'test-node', node: 'running' });
      }
      const [reading = ''] = samplesOf('/state', 'get', lang);
      expect(await play(reading)).to.deep.include({ publicApi: 'running' });
      expect(await play(samplesOf('/start-api', 'post', lang)[0] ?? '')).to.deep.include({ detail: 'Already started' });
      expect(samplesOf('/shutdown', 'post', lang)[0]).to.contain('shutdown');
    });
  }

  it('is the same from the node, without a token, and from the command line', async () => {
    const served = await (await ask(`${node.operatorUrl}/api/v1/openapi.json`)).json();
    const { stdout } = await run(process.execPath, [cli, 'openapi']);
    const document = JSON.parse(JSON.stringify(openapiDocument));
    expect([served, JSON.parse(stdout)]).to.deep.equal([document, document]);
  });

  it('works with a generated client, for every operation', async () => {
    const url = `${node.operatorUrl}/api/v1/openapi.json`;
    const client: Client = await Swagger({ url, userFetch: ask, authorizations: { accessToken: { value: token } } });
    expect(client.errors).to.deep.equal([]);
    const call = (tag: string, id: string): Call => client.apis[tag]?.[id] ?? expect.fail(`no ${tag} ${id}`);
    // The second server of the document is the node that served it.
    const operator = { server: '/api/v1' };
    const command = (id: string, requestBody?: object, parameters = {}): Promise<ClientAnswer> =>
      call('commands', `operator_${id}`)(parameters, { ...operator, ...(requestBody && { requestBody }) });
    const refused = (asked: Promise<unknown>) =>
      asked.then(
        () => expect.fail('was not refused'),
        ({ response }: { response: ClientAnswer }) => ({ status: response.status, body: response.body }),
      );
    const viewer = {
      server: '{scheme}://{host}:{port}/api/v1',
      serverVariables: { scheme: 'http', host: '127.0.0.1', port: String(node.port) },
    };
    const seen = async (objectId: string) => call('public', 'public_asset')({ objectId }, viewer);

    await command('setBuckets', {});
    expect(await seen('1')).to.deep.include({ status: 200 });
    expect((await call('public', 'public_buckets')({}, viewer)).body).to.deep.equal({ allByWorkerId: 0 });
    expect((await call('public', 'public_status')({}, viewer)).body).to.deep.include({ id: 'test-node' });
    const preview = await command('setBuckets', { buckets: ['9:9'] }, { dryRun: true });
    expect(preview.body).to.deep.include({ dryRun: true, command: 'set-buckets' });
    await command('setBuckets', { buckets: ['9:9'] });
    expect(await refused(seen('1'))).to.deep.include({ status: 421 });
    const state = await call('reads', 'operator_state')({}, operator);
    expect(state.headers.etag).to.be.a('string');
    expect((await command('stopApi', undefined, { 'If-Match': state.headers.etag })).body).to.include({
      publicApi: 'stopped',
    });
    expect(await refused(command('startApi', undefined, { 'If-Match': state.headers.etag }))).to.include({
      status: 412,
    });
    expect((await refused(command('stopApi'))).body).to.deep.include({ detail: 'Already stopped' });
    expect(await refused(command('setWorker', { workerId: -1 }))).to.include({ status: 400 });
    expect((await command('startApi')).body).to.include({ publicApi: 'running' });
    const described = Object.keys(client.apis.commands ?? {}).map((id) => id.replace('operator_', '').toLowerCase());
    expect(described).to.have.members(commandNames.map((name) => name.replaceAll('-', '')));
  });

  it('counts the requests of viewers and operators in its metrics', async () => {
    const scrape = async () => scrapeOf(await (await ask(`${node.operatorUrl}/metrics`)).text());
    const done = async () => {
      const { value } = await scrape();
      const hits = value('distributor_public_requests_total', { cache: 'hit', status: '200' });
      return [hits, value('distributor_public_sent_bytes_total', { source: 'local' })];
    };
    // Each server process reports its metrics once a second.
    await until(async () => (await done()).join() === '1,3');
    const { value } = await scrape();
    expect(value('distributor_workers', { state: 'serving' })).to.equal(2);
    expect(value('distributor_operator_requests_total', { command: 'stop-api', status: '409' })).to.equal(1);
    const [pid = 0] = await node.workerPids();
    process.kill(pid, 'SIGSTOP');
    // A scrape does not query the server processes.
    expect(await done()).to.deep.equal([1, 3]);
    process.kill(pid, 'SIGKILL');
    const restarts = async () => (await scrape()).value('distributor_worker_restarts_total', { reason: 'SIGKILL' });
    await until(async () => (await restarts()) === 1);
    // Counts of the dead server process are kept.
    expect(await done()).to.deep.equal([1, 3]);
  });

  it('shuts down with the sample of the shutdown', async () => {
    const [source = ''] = samplesOf('/shutdown', 'post', 'Shell');
    expect(await inShell(source)).to.deep.include({ node: 'shuttingDown' });
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });
});
