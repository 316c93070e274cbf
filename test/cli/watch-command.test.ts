// `watch` and `--wait`, as real processes against a real operator API.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type OperatorSide, secret, startOperatorSide } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { begin, fakeNode } from './run.ts';

describe('cli watch and --wait', () => {
  let cwd: string;
  let operator: OperatorSide;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'cli-'));
    operator = await startOperatorSide();
  });
  afterEach(async () => {
    await operator.close();
    rmSync(cwd, { recursive: true });
  });

  const start = (line: string, key = secret) =>
    begin(line.split(' '), { cwd, env: { DISTRIBUTOR_URL: operator.url, DISTRIBUTOR_SECRET: key } });

  /** The last answer may still be on its way to its client: the node's own order at its end. */
  const end = async () => {
    operator.events.end(0);
    await operator.close();
  };

  it('prints events as text and as JSON until the node ends', async () => {
    const [people, programs] = [start('watch'), start('watch --output json')];
    await until(() => operator.events.readers === 2);
    await operator.command('set-worker', { workerId: 5 });
    await operator.command('start-api');
    await operator.command('shutdown');
    await end();
    const [text, json] = await Promise.all([people.ended, programs.ended]);
    expect([text.code, text.stderr, json.code, json.stderr]).to.deep.equal([0, '', 0, '']);
    const lines = text.stdout.trim().split('\n');
    for (const line of lines) expect(line).to.match(/^\d\d:\d\d:\d\d\.\d{3} {2}\S/);
    const said = lines.map((line) => line.slice(14).replace(/ {2,}/, ' '));
    expect(said[0]).to.equal('state test-node: node running, public API running');
    expect(said).to.include.members([
      'command set-worker from 127.0.0.1: 200',
      'refused start-api from 127.0.0.1: 409 Already started',
      'step shutdown: node shutting down, public API stopping',
      'end the node has ended with exit code 0',
    ]);
    const events = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).to.have.keys('event', 'id', 'data');
    expect(events.at(-1)).to.deep.include({ event: 'end' });
  });

  it('names the signal that ended the node, and escapes control characters', async () => {
    const watching = start('watch');
    await until(() => operator.events.readers === 1);
    const entry = {
      ...{ at: new Date().toISOString(), from: null, kind: null, sub: null, jti: null, input: {}, detail: null },
      ...({ command: 'shutdown', status: 200, before: null, after: null } as const),
    };
    operator.events.command({ ...entry, method: 'SIGTERM' });
    operator.events.command({ ...entry, method: 'POST', sub: 'eve\u001b[2J\u009b2J' });
    await end();
    const { stdout } = await watching.ended;
    expect(stdout).to.include('shutdown by SIGTERM: 200\n').and.to.include('shutdown by eve?[2J?2J: 200\n');
  });

  it('prints the state of the new node after a gap', async () => {
    const watching = start('watch');
    await watching.printed('public API running');
    const { port } = operator.listener;
    await operator.listener.close(0);
    operator = await startOperatorSide({ config: { publicApi: 'stopped' }, settings: { port } });
    await watching.printed('public API stopped');
    watching.child.kill('SIGINT');
    const { stdout } = await watching.ended;
    expect(stdout).to.match(/some events were lost\n.* {2}state {6}test-node: node running, public API stopped\n/);
  });

  it('exits with 0 on Ctrl-C', async () => {
    const watching = start('watch');
    await watching.printed('test-node');
    watching.child.kill('SIGINT');
    expect((await watching.ended).code).to.equal(0);
    await until(() => operator.events.readers === 0);
  });

  it('prints why the node refused it', async () => {
    const { code, stderr } = await start('watch', 'another secret of more than 32 bytes').ended;
    expect(code).to.equal(21);
    expect(stderr).to.include("401 The signature is not that of this node's secret");
  });

  it('reports a server that is not a node', async () => {
    for (const status of [200, 302]) {
      await using other = await fakeNode(secret, { status, document: '<html>' });
      const { code, stdout, stderr } = await start(`watch --url ${other.url}`).ended;
      expect([code, stdout]).to.deep.equal([24, '']);
      expect(stderr).to.contain('is not the operator API of a node');
    }
  });

  it('waits until the goal is reached or the timeout expires', async () => {
    const waiting = start('state --wait stopped');
    const inVain = start('set-worker --worker-id 7 --wait stopped --wait-timeout 50ms');
    const { code, stderr, stdout } = await inVain.ended;
    expect([code, stdout.split('.')[0]]).to.deep.equal([25, 'set-worker: done']);
    expect(stderr).to.match(/^Not stopped after \d+\.\d s\n$/);
    await until(() => operator.events.readers > 0);
    await operator.command('stop-api');
    const reached = await waiting.ended;
    expect([reached.code, reached.stderr]).to.deep.equal([0, '']);
    expect(reached.stdout).to.match(/^stopped after \d+\.\d s$/m);
  });

  it('waits for the exit of the process, not only for its last event', async () => {
    const waiting = start('shutdown --wait exited');
    await until(() => operator.events.readers > 0);
    operator.events.end(0);
    await until(() => operator.events.readers === 0);
    // Time enough to have ended, had it not waited for more.
    await start('state').ended;
    expect(waiting.child.exitCode).to.equal(null);
    await operator.listener.close(1000);
    const { code, stdout } = await waiting.ended;
    expect(code).to.equal(0);
    expect(stdout).to.match(/^exited after/m);
  });

  it('treats a node that has gone without an end event as ended', async () => {
    const waiting = start('state --wait exited');
    await until(() => operator.events.readers > 0);
    await operator.listener.close(0);
    const { code, stdout } = await waiting.ended;
    expect(code).to.equal(0);
    expect(stdout).to.match(/^exited after/m);
  });

  it('stops waiting once the node has ended', async () => {
    const waiting = start('state --wait exited');
    const stopped = start('state --wait stopped');
    await until(() => operator.events.readers === 2);
    await operator.command('shutdown');
    await end();
    expect((await stopped.ended).code).to.equal(0);
    expect((await waiting.ended).code).to.equal(0);
  });
});
