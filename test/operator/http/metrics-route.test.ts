// `GET /metrics` as a scraper meets it: what it says, in which format, and that nothing a client does makes it grow.
import { expect } from 'chai';
import { commandNames } from '../../../machines/commands.ts';
import { version } from '../../../src/base/version.ts';
import { addServerCounters, noServerCounters, noServerMetrics } from '../../../src/metrics/counters.ts';
import type { MeasuredSide } from '../../../src/operator/http/metrics-route.ts';
import { wantsOpenMetrics } from '../../../src/operator/http/metrics-route.ts';
import { bearer, type OperatorSide, startOperatorSide, stillSide } from '../../support/harness.ts';
import { scrapeOf } from '../../support/scrape.ts';

type Heard = Parameters<Parameters<MeasuredSide['subscribe']>[0]>[0];

describe('the metrics', () => {
  let operator: OperatorSide;
  let publish: (event: Heard) => void;

  const answers = { 'hit 200': 7, 'hit 206': 2, 'elsewhere 421': 1 };
  const sentBytes = { local: 1234, external: 56 };
  const own = { ...noServerCounters, answers, sentBytes };
  const counts = { ...addServerCounters(own, noServerCounters), broken: 3, cpuSec: 1.5 };

  beforeEach(async () => {
    operator = await startOperatorSide({
      publicSide: {
        ...stillSide,
        serverMetrics: { ...noServerMetrics, counts, connections: 4, residentBytes: 1e8 },
        losses: { SIGKILL: 2 },
        subscribe: (listener) => {
          publish = listener;
          return () => {};
        },
      },
    });
  });
  afterEach(() => operator.close());

  const get = (headers: Record<string, string> = {}) => operator.call('/metrics', { method: 'GET', headers });
  const scrape = async () => scrapeOf((await get()).text);

  it('need no token, and are plain text for a parser of Prometheus', async () => {
    const { status, headers, text } = await get();
    expect([status, headers['content-type']]).to.deep.equal([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const { families, value } = scrapeOf(text);
    expect(value('distributor_build_info', { version, node_version: process.version })).to.equal(1);
    expect(families.map(({ name }) => name)).to.include.members(['process_cpu_seconds_total', 'process_open_fds']);
    expect((await operator.call('/metrics')).headers.allow).to.equal('GET, HEAD');
  });

  it('follow the naming conventions, are unique, and have help texts', async () => {
    const { families } = await scrape();
    const names = families.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const { name, type, help } of families) {
      expect(name).to.match(/^(distributor|process|nodejs)_[a-z0-9_]+$/);
      expect(help, name).not.to.equal('');
      expect(/_total$/.test(name), name).to.equal(type === 'COUNTER');
      expect(name).not.to.match(/_(ms|millis\w*|minutes|kb|mb|kilobytes)(_|$)/);
      if (name.startsWith('distributor_') && type === 'HISTOGRAM') expect(name).to.match(/_seconds$/);
    }
  });

  it('set one state of each region to 1, and follow the node', async () => {
    const lit = async (name: string) =>
      (await scrape()).families
        .find((family) => family.name === name)
        ?.metrics.filter(({ value }) => value === '1')
        .map(({ labels }) => labels?.state);
    expect(await lit('distributor_node_state')).to.deep.equal(['running']);
    expect(await lit('distributor_public_api_state')).to.deep.equal(['running']);
    await operator.command('stop-api');
    expect(await lit('distributor_public_api_state')).to.deep.equal(['stopped']);
    expect((await scrape()).value('distributor_public_api_wanted')).to.equal(0);
    expect((await scrape()).value('distributor_generation')).to.equal(1);
    await operator.command('shutdown');
    expect(await lit('distributor_node_state')).to.deep.equal(['shuttingDown']);
  });

  it('count the requests to the operator API by command and status, and refusals by reason', async () => {
    await operator.command('stop-api');
    await operator.command('stop-api');
    await operator.command('stop-api', {}, 'nonsense');
    await operator.call('/nothing/here');
    const { value, families } = await scrape();
    const requests = (command: string, status: string) =>
      value('distributor_operator_requests_total', { command, status });
    expect(requests('stop-api', '200')).to.equal(1);
    expect(requests('stop-api', '409')).to.equal(1);
    expect(requests('stop-api', '401')).to.equal(1);
    expect(requests('set-worker', '200')).to.equal(0);
    expect(requests('other', '404')).to.equal(1);
    const refused = (command: string, reason: string) =>
      value('distributor_operator_refusals_total', { command, reason });
    expect(refused('stop-api', 'Already stopped')).to.equal(1);
    expect(refused('stop-api', 'The token is not a signed JWT')).to.equal(1);
    expect(refused('other', 'Not Found')).to.equal(1);
    const durations = families.find(({ name }) => name === 'distributor_operator_request_duration_seconds');
    expect(durations?.type).to.equal('HISTOGRAM');
  });

  it('include the counts of the server processes', async () => {
    const { value } = await scrape();
    const requests = (cache: string, status: string) => value('distributor_public_requests_total', { cache, status });
    expect([requests('hit', '200'), requests('hit', '206'), requests('elsewhere', '421')]).to.deep.equal([7, 2, 1]);
    expect(value('distributor_public_sent_bytes_total', { source: 'local' })).to.equal(1234);
    expect(value('distributor_public_sent_bytes_total', { source: 'external' })).to.equal(56);
    expect(value('distributor_public_broken_responses_total')).to.equal(3);
    expect(value('distributor_public_connections')).to.equal(4);
    expect(value('distributor_worker_restarts_total', { reason: 'SIGKILL' })).to.equal(2);
    expect(value('distributor_worker_cpu_seconds_total')).to.equal(1.5);
    expect(value('distributor_worker_resident_memory_bytes')).to.equal(1e8);
    publish({ type: 'drain.ended', id: 1, cut: 5 });
    publish({ type: 'drain.ended', id: 2, cut: 1 });
    expect((await scrape()).value('distributor_drain_cut_connections_total')).to.equal(6);
  });

  it('are OpenMetrics for clients that prefer it', async () => {
    const [open, plain] = await Promise.all([get({ accept: 'application/openmetrics-text; version=1.0.0' }), get()]);
    expect(open.headers['content-type']).to.equal('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.headers.vary).to.equal('Accept');
    expect(open.text)
      .to.match(/# TYPE distributor_operator_requests counter\n.*_total\{/)
      .and.to.match(/# EOF\n$/);
    expect(plain.text).to.match(
      /# TYPE distributor_operator_requests_total counter\ndistributor_operator_requests_total\{/,
    );
    const again = (await get()).text;
    expect(again).to.contain('# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total ');
    const scraper = 'version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5';
    const rest = 'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
    expect(wantsOpenMetrics(`application/openmetrics-text;${scraper},${rest}`)).to.equal(true);
    for (const accept of ['', '*/*', 'text/plain', 'text/html', 'application/openmetrics-text;q=0,*/*']) {
      expect(wantsOpenMetrics(accept), accept).to.equal(false);
    }
    // Longer than any scraper's list; sending it needs no token.
    expect(wantsOpenMetrics(`${'a/b,'.repeat(1000)}application/openmetrics-text`)).to.equal(true);
    expect(wantsOpenMetrics(`${'a/b,'.repeat(2000)}application/openmetrics-text`)).to.equal(false);
  });

  it('have bounded cardinality', async () => {
    const series = async () => (await get()).text.split('\n').filter((line) => line.startsWith('distributor_')).length;
    await operator.call('/x/0');
    await operator.command('set-worker', { 'a key 0': 0 });
    // A scrape is counted too, and seen by the next one.
    await series();
    const before = await series();
    for (let n = 0; n < 10; n += 1) {
      await operator.call(`/x/${n}`);
      await operator.command('set-worker', { [`a key ${n}`]: n });
    }
    expect(await series()).to.equal(before);
    for (let n = 0; n < 120; n += 1)
      await operator.command('stop-api', {}, await operator.access({ aud: `node ${n}` }));
    const { families } = await scrape();
    const refusals = families.find(({ name }) => name === 'distributor_operator_refusals_total')?.metrics ?? [];
    expect(refusals.length).to.be.lessThan(110);
  });

  it('count the page and the modules of the console as one', async () => {
    for (const path of ['/', '/console/console.css', '/console/icon.svg', '/console/src/console/main.js']) {
      await operator.call(path, { method: 'GET' });
    }
    const { value, families } = await scrape();
    expect(value('distributor_operator_requests_total', { command: 'console', status: '200' })).to.equal(4);
    const requests = families.find(({ name }) => name === 'distributor_operator_requests_total')?.metrics ?? [];
    expect(requests.filter(({ labels }) => /[./]/.test(labels?.command ?? ''))).to.deep.equal([]);
  });

  it('include the reason of a known refusal, even after many others', async () => {
    const nonsense = ['nonsense', 'eyJhbGciOiJub25lIn0.e30.', await operator.sign({}, { key: Buffer.alloc(40) })];
    const kinds = ['', '?dryRun=true'].flatMap((query) => [...commandNames.map((name) => `${name}${query}`)]);
    for (const kind of kinds) {
      for (const token of nonsense) await operator.command(kind, {}, token);
      await operator.call(`/api/v1/${kind}`);
      await operator.call(`/api/v1/${kind}`, { headers: { authorization: 'Basic x' } });
      await operator.command(kind, {}, await operator.access({ scope: 'read' }));
      await operator.command(kind, {}, await operator.access({ aud: 'another' }));
      await operator.command(kind, {}, await operator.access({ exp: 1 }));
      await operator.command(kind, {}, await operator.forRequest('state'));
      await operator.call(`/api/v1/${kind}`, { headers: bearer(await operator.access()), body: 'x' });
    }
    await operator.command('start-api');
    const { value } = await scrape();
    const refused = (command: string, reason: string) =>
      value('distributor_operator_refusals_total', { command, reason });
    expect(refused('start-api', 'Already started')).to.equal(1);
    expect(refused('set-buckets?dryRun=true', 'Unsupported Media Type')).to.equal(1);
  });
});
