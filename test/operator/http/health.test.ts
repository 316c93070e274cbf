// Health on the operator port: for anybody who can reach it, in every state of the node, and while the node is busy.
import { expect } from 'chai';
import type { Node } from '../../../src/control/node-runner.ts';
import { ContentSideTwin, readStatus } from '../../support/content-side-twin.ts';
import { longDeadlines, makeNode, type OperatorSide, startOperatorSide } from '../../support/harness.ts';
import { PublicSideTwin } from '../../support/public-side-twin.ts';

describe('health', () => {
  let operator: OperatorSide;
  afterEach(() => operator.close());

  const ask = async (path: string): Promise<string> => {
    const { status, text, headers } = await operator.call(path, { method: 'GET' });
    expect(headers).to.include({ 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' });
    return `${status} ${text.trim()}`;
  };

  async function withNode(lameDuckMs = 0): Promise<[Node, PublicSideTwin]> {
    const side = new PublicSideTwin();
    const node = makeNode({ publicSide: side, deadlines: { ...longDeadlines, lameDuckMs } });
    operator = await startOperatorSide({ health: () => node.health });
    return [node, side];
  }

  it('follows the node from its start to its end', async () => {
    const [node, side] = await withNode();
    expect(await ask('/livez')).to.equal('200 ok');
    expect(await ask('/startupz')).to.equal('503 still starting');
    expect(await ask('/readyz')).to.equal('503 the public API is stopped');
    await node.restore();
    expect(await ask('/startupz')).to.equal('200 ok');
    expect(await ask('/readyz')).to.equal('200 ok');
    await node.command({ type: 'stop-api' });
    expect(await ask('/readyz')).to.equal('503 the public API is stopped');
    await node.command({ type: 'shutdown' });
    expect(await ask('/readyz')).to.equal('503 the node is shutting down');
    expect(await ask('/livez')).to.equal('200 ok');
    await side.end();
  });

  it('is not ready before the directory has been read', async () => {
    const side = new PublicSideTwin();
    const contentSide = new ContentSideTwin();
    contentSide.status = { ...readStatus, readAt: null };
    const node = makeNode({ publicSide: side, contentSide });
    operator = await startOperatorSide({ health: () => node.health });
    await node.restore();
    expect(await ask('/readyz')).to.equal('503 the directory has never been read');
    contentSide.report(readStatus);
    expect(await ask('/readyz')).to.equal('200 ok');
    await side.end();
  });

  it('is ready while server processes read an index that the content process cannot open', async () => {
    const side = new PublicSideTwin();
    const contentSide = new ContentSideTwin();
    contentSide.status = { ...readStatus, indexId: null, readAt: null };
    const node = makeNode({ publicSide: side, contentSide });
    operator = await startOperatorSide({ health: () => node.health });
    await node.restore();
    expect(await ask('/readyz')).to.equal('200 ok');
    await side.end();
  });

  it('answers while a step is blocked, and names the step', async () => {
    const [node, side] = await withNode();
    await node.restore();
    side.gates.close.hold();
    const stopped = node.command({ type: 'stop-api' });
    await side.gates.close.reached();
    expect(await ask('/readyz')).to.equal('503 the public API is stopping');
    expect(await ask('/livez')).to.equal('200 ok');
    side.gates.close.release();
    expect((await stopped).result).to.equal('done');
    await side.end();
  });

  it('is not ready as soon as a stop begins, though everything is still served', async () => {
    const [node, side] = await withNode(20);
    await node.restore();
    expect(node.state.lameDuck).to.equal(null);
    const seen: unknown[] = [];
    const said: unknown[] = [];
    node.observe((one) => {
      if (one.type === 'step' && one.active.includes('node.up.publicApi.lameDuck'))
        seen.push(node.health.ready, side.port);
      if (one.type === 'changed') said.push(node.state.lameDuck);
    });
    const { port } = side;
    expect((await node.command({ type: 'stop-api' })).result).to.equal('done');
    expect(seen).to.deep.equal(['the public API is stopping', port]);
    expect(said[0])
      .to.have.property('until')
      .that.matches(/^\d{4}-.*Z$/);
    expect([said.at(-1), node.state.lameDuck]).to.deep.equal([null, null]);
    await side.end();
  });

  it('is not ready without a serving process', async () => {
    operator = await startOperatorSide();
    expect(await ask('/readyz')).to.equal('503 no server process serves the public API');
  });

  it('needs a known Host, and is read-only', async () => {
    operator = await startOperatorSide();
    expect((await operator.call('/livez', { method: 'GET', headers: { host: 'evil.example' } })).status).to.equal(403);
    const wrong = await operator.call('/livez', { method: 'POST' });
    expect([wrong.status, wrong.headers.allow]).to.deep.equal([405, 'GET, HEAD']);
    expect(await operator.call('/livez', { method: 'HEAD' })).to.include({ status: 200, text: '' });
    expect((await operator.call('/livez/', { method: 'GET' })).status).to.equal(404);
  });
});
