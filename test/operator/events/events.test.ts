// The events of a node as a reader gets them: what it begins with, what follows, what it missed, and the end.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect } from 'chai';
import { nodeDiagram, nodeOutline } from '../../../machines/node-diagram.ts';
import { type Condition, condition } from '../../../src/base/condition.ts';
import { EventSource, type SeenEvent } from '../../support/event-source.ts';
import { Folder } from '../../support/folder.ts';
import {
  bearer,
  makeNode,
  type OperatorSide,
  type OperatorSideOptions,
  startOperatorSide,
} from '../../support/harness.ts';
import { PublicSideTwin } from '../../support/public-side-twin.ts';
import { publishObjects } from '../../support/publish-objects.ts';
import { until } from '../../support/until.ts';
import { connected, requestFor } from '../../support/viewer.ts';

const namesOf = (events: readonly SeenEvent[]): string[] => events.map(({ name }) => name);
const edges = new Set([...nodeDiagram.edges, ...nodeOutline.edges].map(({ id }) => id));
const states = new Set(nodeDiagram.nodes.map(({ id }) => id));

describe('events', () => {
  let operator: OperatorSide;
  let sources: EventSource[];
  let servers: Server[];
  beforeEach(() => {
    sources = [];
    servers = [];
  });
  afterEach(async () => {
    for (const source of sources) source.close();
    for (const server of servers) server.close();
    await operator.close();
  });

  const start = async (options: OperatorSideOptions = {}): Promise<void> => {
    operator = await startOperatorSide(options);
  };

  const open = async (headers: Record<string, string> = {}, claims: object = {}): Promise<EventSource> => {
    const source = await EventSource.open(operator.url, { ...bearer(await operator.access(claims)), ...headers });
    sources.push(source);
    return source;
  };

  it('begin with the current state', async () => {
    await start();
    await operator.command('stop-api');
    const source = await open({}, { scope: 'read' });
    await source.find('command');
    expect(source.status).to.equal(200);
    expect(source.headers['content-type']).to.match(/^text\/event-stream/);
    expect(source.headers['cache-control']).to.equal('no-store');
    expect(namesOf(source.events)).to.deep.equal(['state', 'machine', 'metrics', 'drain', 'command']);
    const [state, machine, metrics, drain, command] = source.events;
    expect(state?.data).to.deep.equal(JSON.parse(JSON.stringify(operator.observed.state)));
    expect(machine?.data.active).to.include('node.up.publicApi.stopped');
    expect(machine?.data.commands).to.deep.include({ 'stop-api': { legal: false, reason: 'Already stopped' } });
    expect(metrics?.data).to.be.an('array');
    expect(drain?.data.drain).to.equal(null);
    expect(command?.data).to.deep.equal(operator.audits[0]);
  });

  it('report each transition of the machine, with the ids of its diagrams', async () => {
    await start();
    const source = await open();
    await operator.command('stop-api');
    const isStopped = ({ to }: SeenEvent['data']) => (to as { publicApi: string }).publicApi === 'stopped';
    const { data, id } = await source.find('transition', isStopped);
    expect(id).to.match(/^\d+-\d+$/);
    expect(data.from).to.deep.equal({ node: 'running', publicApi: 'stopping' });
    expect(data.active).to.include('node.up.publicApi.stopped');
    expect(data.taken).to.include.members([
      'node.up.publicApi.stopping.recording to node.up.publicApi.stopped by save done',
      'node.up.publicApi.stopping to node.up.publicApi.stopped by port refuses',
    ]);
    for (const { data } of [...source.named('transition'), ...source.named('machine')]) {
      for (const edge of data.taken as string[]) expect(edges).to.include(edge);
      for (const state of data.active as string[]) expect(states).to.include(state);
    }
    expect(source.named('transition').map(({ data }) => data.event)).to.deep.equal([
      'stop-api',
      'close done',
      'save done',
    ]);
    const machine = await source.find('machine', ({ active }) => String(active).includes('publicApi.stopped'));
    const { 'start-api': begin } = machine.data.commands as Record<string, { leadsTo: string[] }>;
    expect(begin?.leadsTo).to.include.members(['node.up.publicApi.running', 'node.up.record.settled.saved']);
  });

  it('report commands, refusals, and the state that followed', async () => {
    await start();
    const source = await open();
    await operator.command('set-worker', { workerId: 5 });
    await operator.command('start-api');
    const refused = await source.find('command', ({ status }) => status === 409);
    expect(refused.data).to.deep.include({ command: 'start-api', detail: 'Already started', sub: null });
    const isSet = ({ settings }: SeenEvent['data']) => (settings as { workerId: number }).workerId === 5;
    expect((await source.find('state', isSet)).id).not.to.equal('');
  });

  it('resume after the last event that a reader received', async () => {
    await start();
    const first = await open();
    await operator.command('stop-api');
    await first.find('command');
    first.close();
    await operator.command('start-api');
    const again = await open({ 'last-event-id': first.lastEventId });
    await again.find('command');
    expect(again.named('command').map(({ data }) => data.command)).to.deep.equal(['start-api']);
    expect(again.named('transition').length).to.be.greaterThan(1);
    expect(again.named('gap')).to.deep.equal([]);
    const third = await open({ 'last-event-id': again.lastEventId });
    await third.find('drain');
    expect(third.named('command')).to.deep.equal([]);
  });

  it('reach a reader that connects in the middle of a burst once', async () => {
    await start();
    const first = await open();
    await first.find('drain');
    const entry = {
      at: new Date().toISOString(),
      from: null,
      kind: null,
      sub: null,
      jti: null,
      method: 'POST',
      command: null,
      input: null,
    };
    const server = createServer((_, response) => {
      operator.events.command({ ...entry, status: 401, detail: 'just now', before: null, after: null });
      operator.events.connect(response, '');
    }).listen(0);
    servers.push(server);
    await once(server, 'listening');
    const late = await EventSource.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
    sources.push(late);
    await operator.command('stop-api');
    await late.find('command', ({ command }) => command === 'stop-api');
    for (const source of [first, late]) {
      await source.find('command', ({ command }) => command === 'stop-api');
      expect(source.named('command').map(({ data }) => data.status)).to.deep.equal([401, 200]);
    }
  });

  it('report a gap if missed events have been dropped', async () => {
    await start({ settings: { eventsBufferBytes: 4000 } });
    const first = await open();
    await first.find('drain');
    await until(() => first.lastEventId !== '');
    first.close();
    for (let round = 0; round < 5; round++) {
      await operator.command('stop-api');
      await operator.command('start-api');
    }
    const [run] = first.lastEventId.split('-');
    for (const id of [first.lastEventId, `${run}-99999`, `${Number(run) - 1}-1`, 'nonsense']) {
      const late = await open({ 'last-event-id': id });
      await late.find('drain');
      expect(namesOf(late.events).slice(0, 2), id).to.deep.equal(['gap', 'state']);
      expect(late.named('command').length, id).to.be.greaterThan(0);
      await until(() => late.lastEventId.startsWith(`${run}-`));
    }
  });

  it('end with a last event, before the port closes', async () => {
    await start();
    const source = await open();
    await source.find('state');
    await operator.command('shutdown');
    operator.events.end(0);
    await source.over;
    const last = source.events.at(-1);
    expect(last?.name).to.equal('end');
    expect(last?.data.exitCode).to.equal(0);
    expect(namesOf(source.events)).to.include.members(['machine', 'command']);
    expect(source.named('state').at(-1)?.data.node).to.equal('shuttingDown');
    const late = await open();
    await late.over;
    expect(late.events[0]?.name).to.equal('state');
    // Otherwise a late reader would wait for a node that has exited.
    expect(late.events.at(-1)?.name).to.equal('end');
  });

  it('need a token, and have a limit of readers', async () => {
    await start({ settings: { maxEventReaders: 2 } });
    const without = await EventSource.open(operator.url, {});
    expect(without.status).to.equal(401);
    const [one, two] = [await open(), await open()];
    const three = await open();
    expect([one.status, two.status, three.status]).to.deep.equal([200, 200, 503]);
    expect(three.headers['retry-after']).to.equal('5');
    one.close();
    await until(() => operator.events.readers === 1);
    expect((await open()).status).to.equal(200);
    const byRequest = { authorization: `Bearer ${await operator.forRequest('events')}` };
    two.close();
    await until(() => operator.events.readers === 1);
    expect((await open(byRequest)).status).to.equal(200);
  });

  it('release a reader that has half-closed its connection', async () => {
    await start();
    const reader = connect({ port: operator.listener.port, host: '127.0.0.1', allowHalfOpen: true });
    const token = await operator.access();
    reader.write(`GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await until(() => operator.events.readers === 1);
    reader.end();
    await until(() => operator.events.readers === 0);
    await once(reader.resume(), 'close');
  });

  it('answer a HEAD with the headers alone', async () => {
    await start();
    const { status, headers, text } = await operator.call('/api/v1/events', {
      method: 'HEAD',
      headers: bearer(await operator.access()),
    });
    expect([status, text, operator.events.readers]).to.deep.equal([200, '', 0]);
    expect(headers['content-type']).to.match(/event-stream/);
  });

  it('send heartbeats, so that a broken connection is noticed', async () => {
    await start({ settings: { eventsHeartbeatMs: 20 } });
    const source = await open();
    await source.says('\n\n:\n\n');
  });

  it('send a metrics point each second, and end when the access token expires', async () => {
    // The clock of the node stands still: however late the stream is opened, its token has a second left.
    await start({ now: () => 1_700_000_000_000 });
    const source = await open({}, { exp: 1_700_000_001 });
    await operator.call('/api/v1/state', { method: 'GET', headers: bearer(await operator.access()) });
    await source.over;
    expect(source.named('end')).to.deep.equal([]);
    await until(() => operator.events.readers === 0);
    const again = await open();
    const { data } = await again.find('metrics', (points) => (points as unknown as unknown[]).length > 0);
    const [point] = data as unknown as Record<string, unknown>[];
    expect(point).to.deep.include({ requests: 7, bytesSent: 42, downloadsInProgress: 0 });
    expect(point?.operatorLatencyMs).to.have.keys('p50', 'p99');
  });

  it('report conditions raised, changed and cleared, and the state with each', async () => {
    await start();
    const { conditions, observed } = operator;
    const source = await open();
    conditions.push(condition('MissingFiles', 'NoFile', 'It smells.'));
    observed.look();
    conditions[0] = condition('MissingFiles', 'NoFile', 'It burns.');
    observed.look();
    observed.look();
    await source.find('state', ({ conditions }) => (conditions as unknown[]).length === 1);
    conditions.pop();
    // Nothing announces the end of the condition: the node polls.
    await source.find('condition', ({ change }) => change === 'cleared');
    expect(
      source.named('condition').map(({ data: { change, condition } }) => [change, (condition as Condition).message]),
    ).to.deep.equal([
      ['raised', 'It smells.'],
      ['changed', 'It burns.'],
      ['cleared', 'It burns.'],
    ]);
    await source.find('state', ({ conditions }) => (conditions as unknown[]).length === 0);
  });

  it('report the progress and the end of a drain', async () => {
    const folder = await Folder.make();
    const side = new PublicSideTwin();
    const node = makeNode({ publicSide: side, config: { publicApi: 'running', workerId: 0, buckets: null } });
    await node.restore();
    publishObjects(side.index, [await folder.object('1', 16 * 1024 * 1024)]);
    await start({ observed: node });
    const source = await open();
    const viewer = await connected(side.port ?? 0, requestFor('/api/v1/assets/1'));
    // Its answer has begun: from here on there are bytes left.
    await once(viewer, 'readable');
    await node.command({ type: 'stop-api' });
    const { data } = await source.find('drain', ({ drain }) => drain !== null);
    const { drain } = data as { drain: { connections: number; bytesLeft: number; deadline: string } };
    expect(drain.connections).to.equal(1);
    expect(drain.bytesLeft).to.be.greaterThan(0);
    expect(drain.deadline).to.equal(node.state.drain?.deadline);
    viewer.destroy();
    await until(() => source.named('drain').at(-1)?.data.drain === null);
    expect(source.named('drain').length).to.be.greaterThan(2);
    await node.command({ type: 'shutdown' });
    await side.end();
    await node.exited;
    await folder.remove();
  });

  it('release all resources of hundreds of readers', async () => {
    await start({ settings: { maxEventReaders: 1000, maxConnections: 1000 } });
    for (let round = 0; round < 10; round++) {
      const readers = await Promise.all(Array.from({ length: 20 }, () => open()));
      expect(operator.events.readers).to.be.lessThanOrEqual(20);
      for (const reader of readers) reader.close();
      await until(() => operator.events.readers === 0);
    }
  });

  it('drop a reader that does not read, and no other', async () => {
    await start({ settings: { eventsBacklogBytes: 1024, eventsBufferBytes: 10_000 } });
    const slow = await open();
    slow.pause();
    const quick = await open();
    const many = Array.from({ length: 5000 }, (_, index) => `${index}:${'x'.repeat(100)}`);
    let sent = 0;
    while (operator.events.readers === 2) {
      await operator.command('set-buckets', { buckets: many });
      sent += 1;
    }
    expect(operator.events.readers).to.equal(1);
    await quick.find('transition');
    await until(() => quick.named('command').length === sent);
  });
});
