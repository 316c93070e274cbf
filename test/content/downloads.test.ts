// Downloads with real files and sources in memory: one download per object, followed by many requests, verified and resumed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { aheadBytes } from '../../src/content/downloads.ts';
import type { CacheSetup } from '../../src/ipc/content-messages.ts';
import { CacheRig } from '../support/cache-rig.ts';
import { bytesOf, hashOfBytes } from '../support/memory-sources.ts';
import { until } from '../support/until.ts';

const mebibyte = 1_048_576;

describe('downloads', () => {
  let rig: CacheRig;

  const open = (more: Partial<CacheSetup> = {}) => {
    rig = new CacheRig(more);
  };

  afterEach(async () => {
    await rig.end();
  });

  /** A promise that a test settles. */
  function gate() {
    let open = () => {};
    const passed = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { passed, open: () => open() };
  }

  it('fetches an object once for all requests, and stores it', async () => {
    open();
    const bytes = await rig.add('1042', 3 * mebibyte + 5);
    const viewers = Array.from({ length: 50 }, () => rig.viewer('1042'));
    expect(new Set(await Promise.all(viewers.map((one) => one.ended())))).to.deep.equal(new Set(['here']));
    expect(rig.sources.fetched).to.have.lengthOf(1);
    expect(rig.files).to.deep.equal(['42/1042']);
    expect(readFileSync(rig.path('1042')).equals(bytes)).to.equal(true);
    expect(rig.index.copy('1042')).to.include({ size: bytes.length, hash: await hashOfBytes(bytes), uses: 50 });
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(await rig.viewer('1042').ended()).to.equal('here');
    expect(rig.sources.fetched).to.have.lengthOf(1);
  });

  it('reports the progress and the type to its followers', async () => {
    open();
    const { passed, open: go } = gate();
    const bytes = await rig.add('7', mebibyte);
    rig.sources.scripts.set('7', [{ pauseAt: 300_000, gate: passed }]);
    const viewer = rig.viewer('7');
    const brought = await viewer.brought;
    expect(brought).to.deep.include({ result: 'arriving' });
    await until(() => viewer.received === 300_000);
    const arrival = viewer.news.at(-1);
    expect(arrival).to.deep.equal({
      ...{
        path: rig.part('7'),
        size: mebibyte,
        received: 300_000,
        type: 'application/octet-stream',
        state: 'arriving',
      },
    });
    expect(readFileSync(rig.part('7')).equals(bytes.subarray(0, 300_000))).to.equal(true);
    const late = rig.viewer('7');
    expect(await late.brought).to.deep.equal({ result: 'arriving', arrival, hasBegun: false });
    expect(rig.cache.downloads).to.deep.equal([{ id: '7', stage: 'fetching', size: mebibyte, received: 300_000 }]);
    go();
    expect(await viewer.ended()).to.equal('here');
    expect(viewer.news.at(-1)).to.include({ path: rig.path('7'), received: mebibyte });
    expect(viewer.news.map(({ received }) => received)).to.deep.equal(
      viewer.news.map(({ received }) => received).sort((a, b) => a - b),
    );
  });

  it('takes the type from the signature, else from the directory', async () => {
    open();
    const jpeg = Buffer.concat([Buffer.from('ffd8ffe000104a4649460001', 'hex'), bytesOf('1', 9000)]);
    const stated = { hash: await hashOfBytes(jpeg), size: jpeg.length, type: 'text/vtt' };
    await rig.add('1', 1, stated);
    rig.sources.objects.set('1', jpeg);
    await rig.add('2', 9000, { type: 'text/vtt' });
    const types = async (id: string) => {
      const brought = await rig.viewer(id).brought;
      return brought.result === 'arriving' ? brought.arrival.type : brought.result;
    };
    expect([await types('1'), await types('2')]).to.deep.equal(['image/jpeg', 'text/vtt']);
    await until(() => [...rig.index.copyIds('')].length === 2);
    expect([rig.index.copy('1')?.type, rig.index.copy('2')?.type]).to.deep.equal([
      'image/jpeg',
      'application/octet-stream',
    ]);
  });

  it('stores an empty object', async () => {
    open();
    await rig.add('3', 0);
    expect(await rig.viewer('3').ended()).to.equal('here');
    expect(rig.index.copy('3')).to.include({ size: 0 });
  });

  it('continues at the next source if one ends early', async () => {
    open();
    const bytes = await rig.add('5', mebibyte);
    rig.sources.scripts.set('5', [{ failAt: 100_000 }, { failAt: 400_001 }]);
    expect(await rig.viewer('5').ended()).to.equal('here');
    expect(rig.sources.fetched.map(({ from }) => from)).to.deep.equal([0, 100_000, 400_001]);
    expect(readFileSync(rig.path('5')).equals(bytes)).to.equal(true);
  });

  it('gives up after some setbacks, keeps the bytes, and continues from them for the next request', async () => {
    open();
    const bytes = await rig.add('5', mebibyte);
    rig.sources.scripts.set('5', [{ failAt: 100_000 }, { failAt: 100_000 }, { failAt: 200_000 }]);
    expect(await rig.viewer('5').ended()).to.equal('failed');
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal(['05/5.part']);
    expect(await rig.viewer('5').ended()).to.equal('here');
    expect(rig.sources.fetched.at(-1)).to.include({ from: 200_000 });
    expect(readFileSync(rig.path('5')).equals(bytes)).to.equal(true);
  });

  it('stores no wrong bytes: their responses break, and their source is named', async () => {
    open();
    const bytes = await rig.add('6', mebibyte);
    const wrong = Buffer.from(bytes);
    wrong[mebibyte - 1] = 1 + (wrong[mebibyte - 1] ?? 0);
    rig.sources.scripts.set('6', [{ bytes: wrong, source: 'http://liar' }]);
    expect(await rig.viewer('6').ended()).to.equal('failed');
    expect(rig.sources.bad.map(({ source }) => source)).to.deep.equal(['http://liar']);
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal([]);
    expect(rig.index.copy('6')).to.equal(undefined);
    expect(await rig.viewer('6').ended()).to.equal('here');
    expect(readFileSync(rig.path('6')).equals(bytes)).to.equal(true);
  });

  it('blames no source if several have sent the bytes, or an earlier download has', async () => {
    open();
    const bytes = await rig.add('6', mebibyte);
    const wrong = Buffer.from(bytes);
    wrong[0] = 1 + (wrong[0] ?? 0);
    rig.sources.scripts.set('6', [{ bytes: wrong, source: 'http://a', failAt: 1000 }, { source: 'http://b' }]);
    expect(await rig.viewer('6').ended()).to.equal('failed');
    await until(() => rig.cache.downloadsInProgress === 0);
    rig.write(rig.part('6'), wrong.subarray(0, 5000));
    expect(await rig.viewer('6').ended()).to.equal('failed');
    expect(rig.sources.fetched.at(-1)).to.include({ from: 5000 });
    expect(rig.sources.bad).to.deep.equal([]);
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal([]);
  });

  it('accepts no more bytes than the object has', async () => {
    open();
    await rig.add('8', 1000);
    rig.sources.scripts.set('8', [{ bytes: bytesOf('8', 5000), source: 'http://long' }]);
    expect(await rig.viewer('8').ended()).to.equal('unavailable');
    expect(rig.sources.bad.map(({ source }) => source)).to.deep.equal(['http://long']);
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal([]);
  });

  it('fetches nothing that is unknown, not accepted, not ours, or in a file of the operator', async () => {
    open();
    await rig.add('1', 10, { accepted: false });
    await rig.add('2', 10, { bag: 'others' });
    const found = { path: '/films/3', size: 10, mtimeMs: 1, ctimeMs: 1, ino: 1 };
    await rig.add('3', 10, { file: { name: '3', found, type: null, hash: null, problem: null } });
    rig.lookUps.set('5', { result: 'undecided' });
    const words = await Promise.all(['1', '2', '3', '4', '5'].map((id) => rig.viewer(id).ended()));
    expect(words).to.deep.equal(['unavailable', 'unavailable', 'unavailable', 'unavailable', 'undecided']);
    expect(rig.sources.fetched).to.deep.equal([]);
  });

  it('fetches an object that the directory finds before it is in the index', async () => {
    open();
    const bytes = bytesOf('9', 10);
    rig.sources.objects.set('9', bytes);
    const object = {
      ...{ id: '9', path: null, size: 10, type: null, hash: await hashOfBytes(bytes), verified: null, accepted: true },
    };
    const ours = { ...object, buckets: ['1:0'] };
    rig.lookUps.set('9', { result: 'found', object: { ...ours, buckets: ['2:0'] }, bucketWorkers: {} });
    expect(await rig.viewer('9').ended()).to.equal('unavailable');
    rig.lookUps.set('9', { result: 'found', object: ours, bucketWorkers: {} });
    expect(await rig.viewer('9').ended()).to.equal('here');
  });

  it('is unavailable if no source has the object', async () => {
    open();
    await rig.add('4', 10);
    rig.sources.objects.clear();
    expect(await rig.viewer('4').brought).to.deep.equal({ result: 'unavailable' });
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal([]);
  });

  it('passes through what is too large to keep', async () => {
    open({ maxItemBytes: 1000 });
    await rig.add('4', 1001);
    const passage = { urls: ['http://node/api/v1/files/4'], size: 1001, type: null };
    expect(await rig.viewer('4').brought).to.deep.equal({ result: 'pass', passage });
    await rig.add('5', 2000, { size: null, hash: null, url: 'https://films.example/5' });
    expect(await rig.viewer('5').brought).to.deep.include({ result: 'pass' });
    await rig.add('6', 20, { size: null, hash: null, url: 'https://films.example/6' });
    rig.sources.scripts.set('6', [{ size: null }]);
    expect(await rig.viewer('6').brought).to.deep.include({ result: 'pass' });
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal([]);
  });

  it('passes through a range far ahead of what has arrived', async () => {
    open();
    const { passed, open: go } = gate();
    await rig.add('4', aheadBytes + 2 * mebibyte);
    rig.sources.scripts.set('4', [{ pauseAt: 100_000, gate: passed }]);
    const first = rig.viewer('4');
    await until(() => first.received === 100_000);
    expect(await rig.viewer('4', aheadBytes + 100_000).brought).to.deep.include({ result: 'arriving' });
    expect(await rig.viewer('4', aheadBytes + 100_001).brought).to.deep.include({ result: 'pass' });
    go();
    expect(await first.ended()).to.equal('here');
    expect(rig.sources.fetched).to.have.lengthOf(1);
  });

  it('stores an object without a stated size or hash, with the validator of its origin', async () => {
    open();
    const bytes = await rig.add('5', 5000, { size: null, hash: null, url: 'https://films.example/5' });
    rig.sources.scripts.set('5', [{ failAt: 2000, tag: '"v1"' }, { tag: '"v1"' }]);
    expect(await rig.viewer('5').ended()).to.equal('here');
    expect(rig.sources.fetched.map(({ from, tag }) => [from, tag])).to.deep.equal([
      [0, null],
      [2000, '"v1"'],
    ]);
    expect(rig.index.copy('5')).to.include({ originTag: '"v1"', hash: await hashOfBytes(bytes) });
    await rig.add('6', 5000, { size: null, hash: null, url: 'https://films.example/6' });
    rig.sources.scripts.set('6', [{ failAt: 2000 }]);
    expect(await rig.viewer('6').ended()).to.equal('unavailable');
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(rig.files).to.deep.equal(['05/5']);
  });

  it('limits the downloads at a time, in the order of the requests', async () => {
    open({ maxDownloads: 2 });
    const { passed, open: go } = gate();
    const ids = ['1', '2', '3', '4', '5'];
    for (const id of ids) {
      await rig.add(id, 200_000);
      rig.sources.scripts.set(id, [{ pauseAt: 65_536, gate: passed }]);
    }
    const viewers = ids.map((id) => rig.viewer(id));
    await until(() => rig.sources.open === 2);
    expect(rig.cache.downloads.map(({ stage }) => stage)).to.deep.equal([
      ...['fetching', 'fetching', 'requested', 'requested', 'requested'],
    ]);
    // The download has not begun, and has no other follower.
    viewers[3]?.stop();
    go();
    const kept = viewers.filter((_, at) => at !== 3);
    expect(new Set(await Promise.all(kept.map((one) => one.ended())))).to.deep.equal(new Set(['here']));
    const order = rig.sources.fetched.map(({ id }) => id);
    expect(order.slice(0, 2).sort()).to.deep.equal(['1', '2']);
    expect(order.slice(2).sort()).to.deep.equal(['3', '5']);
    expect(rig.sources.mostOpen).to.equal(2);
  });

  it('finishes what has begun when its viewers leave', async () => {
    open();
    const { passed, open: go } = gate();
    await rig.add('4', mebibyte);
    rig.sources.scripts.set('4', [{ pauseAt: 100_000, gate: passed }]);
    const viewer = rig.viewer('4');
    await until(() => viewer.received === 100_000);
    viewer.stop();
    go();
    await until(() => rig.index.copy('4') !== undefined);
    expect(viewer.received).to.equal(100_000);
  });

  it('ends at its deadline', async () => {
    open({ deadlineMs: 100 });
    await rig.add('4', mebibyte);
    rig.sources.scripts.set('4', [{ pauseAt: 100_000, gate: new Promise(() => {}) }]);
    expect(await rig.viewer('4').ended()).to.equal('failed');
    await until(() => rig.cache.downloadsInProgress === 0 && rig.sources.open === 0);
    expect(rig.files).to.deep.equal(['04/4.part']);
  });

  it('can be closed at every stage', async () => {
    open({ maxDownloads: 3 });
    const never = new Promise<void>(() => {});
    for (const id of ['1', '2', '3', '4']) await rig.add(id, mebibyte);
    rig.sources.scripts.set('1', [{ opening: never }]);
    rig.sources.scripts.set('2', [{ pauseAt: 65_536, gate: never }]);
    rig.sources.scripts.set('3', [{ pauseAt: 0, gate: never }]);
    const viewers = ['1', '2', '3', '4'].map((id) => rig.viewer(id));
    await until(() => rig.sources.open === 2 && rig.sources.fetched.length === 3);
    await until(() => viewers[1]?.received === 65_536);
    await rig.cache.close();
    expect(await Promise.all(viewers.map((one) => one.ended()))).to.deep.equal([
      ...['unavailable', 'failed', 'unavailable', 'unavailable'],
    ]);
    expect(rig.sources.open).to.equal(0);
    expect(await rig.viewer('1').ended()).to.equal('undecided');
    expect(rig.files).to.deep.equal(['02/2.part']);
  });

  it('fetches an object again if its file was deleted or changed', async () => {
    open();
    const bytes = await rig.add('4', 1000);
    await rig.fetch('4');
    writeFileSync(rig.path('4'), 'wrong');
    expect(await rig.viewer('4').ended()).to.equal('here');
    await until(() => rig.cache.downloadsInProgress === 0);
    expect(readFileSync(rig.path('4')).equals(bytes)).to.equal(true);
    expect(rig.sources.fetched).to.have.lengthOf(2);
    expect(existsSync(rig.part('4'))).to.equal(false);
    expect(rig.isInStep).to.equal(true);
  });
});
