// What a worker counts of its answers.
import { expect } from 'chai';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { until } from '../support/until.ts';
import { ask, connected, requestFor } from '../support/viewer.ts';

describe('request metrics', () => {
  let folder: Folder;
  let open: OpenPublicServer;

  beforeEach(async () => {
    folder = await Folder.make();
    open = await openPublicServer([
      await folder.object('1', '0123456789'),
      await folder.object('2', 16 * 1024 * 1024),
      await folder.object('3', 'not ours', { buckets: ['9:9'] }),
      await folder.object('4', 'no copy', { path: null }),
    ]);
  });

  afterEach(async () => {
    await open.leave();
    await folder.remove();
  });

  const counts = () => open.publicServer.serverMetrics.counts;
  const counted = () => Object.values(counts().answers).reduce((sum, count) => sum + count, 0);

  it('has each by its word and its status', async () => {
    const asset = (id: string, headers = {}) => ask(open.port, `/api/v1/assets/${id}`, headers);
    await asset('1');
    await asset('1', { range: 'bytes=0-1' });
    await asset('1', { range: 'bytes=99-' });
    await asset('1', { 'if-none-match': '"W1hash1"' });
    await asset('3');
    await asset('4');
    await asset('5');
    await ask(open.port, '/api/v1/status');
    await ask(open.port, '/nothing');
    await until(() => counted() === 9);
    expect(counts().answers).to.deep.equal({
      'hit 200': 1,
      'hit 206': 1,
      'hit 416': 1,
      'hit 304': 1,
      'elsewhere 421': 1,
      'unavailable 502': 1,
      'unknown 404': 1,
      'none 200': 1,
      'none 404': 1,
    });
    const { broken, firstByte, duration } = counts();
    expect(broken).to.equal(0);
    for (const { counts: buckets, sum } of [firstByte, duration]) {
      expect(buckets.reduce((total, count) => total + count)).to.equal(9);
      expect(sum).to.be.greaterThan(0);
    }
    expect(duration.sum).to.be.at.least(firstByte.sum);
  });

  it('knows an answer that was not sent whole', async () => {
    const socket = await connected(open.port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => socket.once('readable', resolve));
    expect(open.publicServer.serverMetrics.connections).to.equal(1);
    socket.destroy();
    await until(() => counts().broken === 1);
    expect(counts().answers).to.deep.equal({ 'hit 200': 1 });
    expect(open.publicServer.serverMetrics.connections).to.equal(0);
  });
});
