// A node that does not know its whole directory: what it answers about objects, its readiness and its status.
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { squidMark } from '../../src/ipc/content-messages.ts';
import type { LookUp } from '../../src/ipc/look-up.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexWriter } from '../../src/store/object-index.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { publishObjects } from '../support/publish-objects.ts';
import { ask } from '../support/viewer.ts';

const squid = { kind: 'squid', name: 'http://squid.example/graphql' } as const;
const catalogue = { kind: 'catalogue', name: '/catalogue.yaml' } as const;

const found = (facts: Partial<DataObject> = {}): LookUp => ({
  ...{ result: 'found', bucketWorkers: { '0:0': [0], '1:1': [1] } },
  object: {
    ...{ id: '7', path: null, size: 10, type: null, hash: 'W1', verified: null, accepted: true, buckets: ['0:0'] },
    ...facts,
  },
});

describe('a node that does not know its whole directory', () => {
  let open: OpenPublicServer | null = null;
  let asked: string[];

  beforeEach(() => {
    asked = [];
  });
  afterEach(async () => {
    await open?.leave();
    open = null;
  });

  async function opened(index: IndexWriter, answer: LookUp | Promise<LookUp>): Promise<OpenPublicServer> {
    open = await openPublicServer([], {
      index,
      lookUp: async (id) => {
        asked.push(id);
        return answer;
      },
    });
    return open;
  }

  async function typeOf(id = '7'): Promise<[number, string, string | undefined]> {
    const { status, headers, body } = await ask(open?.port ?? 0, `/api/v1/assets/${id}`);
    return [status, JSON.parse(body.toString()).type, headers['retry-after']];
  }

  it('answers by a look-up about an object that is not in the index', async () => {
    for (const [lookUp, answer] of [
      [found(), [502, 'unavailable', '30']],
      [found({ buckets: ['1:1'] }), [421, 'elsewhere', undefined]],
      [found({ accepted: false }), [404, 'unaccepted', undefined]],
      [{ result: 'unknown' }, [404, 'unknown', undefined]],
      [{ result: 'undecided' }, [503, 'undecided', '5']],
    ] as const) {
      await opened(memoryIndex(squid), lookUp);
      expect(await typeOf()).to.deep.equal(answer);
      await open?.leave();
    }
    expect(asked).to.deep.equal(Array(5).fill('7'));
  });

  it('is undecided about every object without an index, or before the catalogue was read', async () => {
    const { publicServer } = await opened(memoryIndex(catalogue), { result: 'undecided' });
    expect(await typeOf()).to.deep.equal([503, 'undecided', '5']);
    publicServer.useIndex(null);
    expect(await typeOf()).to.deep.equal([503, 'undecided', '5']);
    const { headers } = await ask(open?.port ?? 0, '/api/v1/assets/7');
    expect(headers['access-control-expose-headers']).to.contain('Retry-After');
  });

  it('does not look up what a whole catalogue does not contain', async () => {
    const index = memoryIndex(catalogue);
    publishObjects(index, []);
    await opened(index, found());
    expect(await typeOf()).to.deep.equal([404, 'unknown', undefined]);
    expect(asked).to.deep.equal([]);
  });

  it('is judged by the settings at the time of the answer to a look-up', async () => {
    let answer = (_: LookUp) => {};
    const { publicServer } = await opened(memoryIndex(squid), new Promise((resolve) => (answer = resolve)));
    const answered = typeOf();
    await ask(open?.port ?? 0, '/api/v1/status');
    publicServer.configure({ workerId: 1, buckets: null });
    answer(found());
    expect(await answered).to.deep.equal([421, 'elsewhere', undefined]);
  });

  it('is not ready until the directory has been read, and says why', async () => {
    const index = memoryIndex(squid);
    const { port, publicServer } = await opened(index, found());
    const ready = async () => {
      const { status, body } = await ask(port, '/readyz');
      return [status, body.toString()];
    };
    expect(await ready()).to.deep.equal([503, 'the directory has never been read\n']);
    await typeOf();
    expect((await ready())[0]).to.equal(503);
    publishObjects(index, []);
    expect(await ready()).to.deep.equal([200, 'ok\n']);
    publicServer.useIndex(null);
    expect(await ready()).to.deep.equal([503, 'there is no index of the directory yet\n']);
  });

  it('has a status without waiting for anything', async () => {
    const index = memoryIndex(squid);
    const { port, publicServer } = await opened(index, new Promise<LookUp>(() => {}));
    const status = async () => JSON.parse((await ask(port, '/api/v1/status')).body.toString());
    const unread = { url: '', chainHead: 0, blocksProcessed: 0, packageVersion: '' };
    expect((await status()).queryNodeStatus).to.deep.equal(unread);
    index.transact((tx) => tx.putMark(squidMark, { height: 4711, version: '1.5.2' }));
    const read = { url: '', chainHead: 4711, blocksProcessed: 4711, packageVersion: '1.5.2' };
    expect((await status()).queryNodeStatus).to.deep.equal(read);
    index.transact((tx) => tx.putMark(squidMark, { height: null, version: null }));
    expect((await status()).queryNodeStatus).to.deep.equal(unread);
    publicServer.useIndex(null);
    expect(await status()).to.deep.include({ objectsInCache: 0, storageUsed: 0, queryNodeStatus: unread });
  });
});
