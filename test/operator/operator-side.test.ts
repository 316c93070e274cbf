// The end of a node as its operators see it: what has come is answered before the process exits.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Answer, createClient } from '../../src/client/http-client.ts';
import { accessToken, Home, type RealNode, signingKey } from '../support/harness.ts';
import type { Operation } from '../support/linearizable.ts';
import { Pipeline, signed } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

const set = (workerId: number) => ({ type: 'set-worker', workerId }) as const;
const statusOf = ({ status }: Answer): number => status;

describe('a node that leaves', () => {
  let home: Home;
  let node: RealNode;
  const pipelines: Pipeline[] = [];
  const open = async (): Promise<Pipeline> => {
    const pipeline = await Pipeline.open(node.operatorUrl);
    pipelines.push(pipeline);
    return pipeline;
  };
  beforeEach(async () => {
    home = await Home.make({ more: { stateFile: { saveTimeoutMs: 2000 } } });
    node = await home.start();
  });
  afterEach(async () => {
    for (const pipeline of pipelines.splice(0)) pipeline.close();
    await node.end();
    await home.remove();
  });
  /** With a request token each, or all with one access token. */
  const sign = async (commands: readonly Operation['command'][], token?: string) => {
    const client = createClient({
      url: node.operatorUrl,
      timeoutMs: 60_000,
      ...(token === undefined ? { secret: signingKey } : { token }),
    });
    return Promise.all(commands.map((command) => signed(client, command)));
  };
  const savedWorker = async (): Promise<unknown> =>
    JSON.parse(await readFile(join(home.statePath, 'state.json'), 'utf8')).changes.workerId;

  it('answers requests pipelined behind the shutdown', async () => {
    const commands = [set(1), { type: 'shutdown' }, set(2), { type: 'stop-api' }, { type: 'read' }, set(3)] as const;
    const answers = await Promise.all((await open()).send(await sign(commands, await accessToken())));
    expect(answers.map(statusOf)).to.deep.equal([200, 200, 200, 409, 200, 200]);
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    expect(await savedWorker()).to.equal(3);
  });

  it('carries out all commands of a burst that arrive before it closes', async () => {
    const token = await accessToken();
    const others = await Promise.all(Array.from({ length: 12 }, open));
    const last = await open();
    const changes = await sign(
      others.map((_, at) => set(at)),
      token,
    );
    const end = await sign([{ type: 'shutdown' }], token);
    const settings = others.flatMap((pipeline, at) => pipeline.send(changes.slice(at, at + 1)));
    const [shutdown] = last.send(end);
    expect((await Promise.all(settings)).map(statusOf)).to.deep.equal(others.map(() => 200));
    expect((await shutdown)?.status).to.equal(200);
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('waits for the disk as long as with any other command', async () => {
    // A blocked disk: nothing reads from this pipe yet.
    const file = join(home.statePath, 'used-tokens');
    await rm(file);
    execFileSync('mkfifo', [file]);
    try {
      const settings = (await open()).send(await sign([set(1), set(2)]));
      await until(async () => (await node.state()).node === 'running');
      expect((await node.command('shutdown')).status).to.equal(200);
      expect((await Promise.all(settings)).map(statusOf)).to.deep.equal([200, 200]);
      expect(await savedWorker()).to.equal(2);
    } finally {
      closeSync(openSync(file, 'r'));
    }
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });
});
