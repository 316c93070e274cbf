// Objects leave the thread in batches, one at a time, each only on request.
import { expect } from 'chai';
import type { DataObject } from '../../../machines/answer.ts';
import { BatchedSender } from '../../../src/directory/catalogue/batched-sender.ts';
import type { ObjectsNotice } from '../../../src/directory/catalogue/catalogue-messages.ts';

const ids = Array.from({ length: 1100 }, (_, n) => String(n));

describe('batched sender', () => {
  let posted: ObjectsNotice[];
  let wake: () => void;
  let hash: string;
  let sender: BatchedSender;

  beforeEach(() => {
    posted = [];
    wake = () => {};
    hash = 'first';
    const objectOf = (id: string): DataObject => ({
      ...{ id, hash, path: null, size: null, type: null, verified: null, accepted: false, buckets: [] },
    });
    sender = new BatchedSender((notice) => {
      posted.push(notice);
      wake();
    }, objectOf);
  });

  afterEach(() => sender.clear());

  const posting = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const words = () =>
    posted.map((notice) => (notice.type === 'whole' ? 'whole' : `${notice.type} ${notice.objects.length}`));

  it('sends the next batch only after the last was acknowledged', () => {
    sender.replace(ids, { b: [1] });
    expect(words()).to.deep.equal(['part 500']);
    for (let n = 0; n < 5; n += 1) sender.next();
    expect(words()).to.deep.equal(['part 500', 'part 500', 'part 100', 'whole']);
    expect(posted.map((notice) => notice.type === 'part' && notice.first)).to.deep.equal([true, false, false, false]);
    expect(posted.at(-1)).to.deep.equal({ type: 'whole', bucketWorkers: { b: [1] } });
  });

  it('drops the rest of a replacement when the next one begins', () => {
    sender.replace(ids, {});
    sender.replace([], {});
    expect(words()).to.deep.equal(['part 500']);
    sender.next();
    sender.next();
    expect(words()).to.deep.equal(['part 500', 'part 0', 'whole']);
    expect(posted[1]).to.include({ first: true });
  });

  it('collects changes, and sends each object once in its latest state', async () => {
    for (const id of [...ids, ...ids]) sender.update(id);
    expect(posted).to.be.empty;
    hash = 'second';
    await posting();
    for (let n = 0; n < 5; n += 1) sender.next();
    expect(words()).to.deep.equal(['updated 500', 'updated 500', 'updated 100']);
    expect(posted[0]).to.have.nested.property('objects[0].hash', 'second');
  });

  it('sends changes during a replacement after it', async () => {
    sender.replace(['1'], {});
    sender.update('1');
    sender.next();
    expect(words()).to.deep.equal(['part 1', 'whole']);
    sender.next();
    await posting();
    expect(words()).to.deep.equal(['part 1', 'whole', 'updated 1']);
  });
});
