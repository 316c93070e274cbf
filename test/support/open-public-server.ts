// A public server in this process, listening on a free port, for tests of its answers.
import type { DataObject } from '../../machines/answer.ts';
import type { Settings } from '../../machines/settings.ts';
import type { Bringing } from '../../src/ipc/arrival.ts';
import type { LookUp } from '../../src/ipc/look-up.ts';
import type { PublicLimits, RequestsReport } from '../../src/ipc/messages.ts';
import type { OpenRange } from '../../src/public/pass-through.ts';
import { PublicServer } from '../../src/public/public-server.ts';
import { dataObject } from '../../src/store/data-object.ts';
import type { IndexWriter } from '../../src/store/object-index.ts';
import { BringingTwin } from './bringing-twin.ts';
import { testLimits } from './public-side-twin.ts';
import { indexOf } from './publish-objects.ts';

export interface OpenPublicServer {
  readonly publicServer: PublicServer;
  readonly port: number;
  /** What it reads. */
  readonly index: IndexWriter;
  /** Ids of the reported bad copies. */
  readonly badCopies: string[];
  /** Resolves with how many connections were cut, when the last of the first drain has gone. */
  readonly drained: Promise<number>;
  leave(): Promise<void>;
}

export async function openPublicServer(
  objects: readonly DataObject[],
  {
    index = indexOf(...objects),
    lookUp = async () => ({ result: 'undecided' }),
    bringing = new BringingTwin(),
    assets,
    openRange = async () => {
      throw new Error('There is no source');
    },
    maxPassed = 100,
    settings = { workerId: 0, buckets: null },
    limits = {},
    reportsRequests = false,
    requests = () => {},
  }: {
    /** Left out: of a catalogue with these objects in bucket 0:0 of worker 0. */
    index?: IndexWriter;
    /** Left out: the directory cannot be asked. */
    lookUp?: (id: string) => Promise<LookUp>;
    /** Left out: no source has anything. */
    bringing?: Bringing;
    /** Folder of the copies; left out: there are none. */
    assets?: string;
    openRange?: OpenRange;
    maxPassed?: number;
    settings?: Settings;
    limits?: Partial<PublicLimits>;
    reportsRequests?: boolean;
    requests?: (report: RequestsReport) => void;
  } = {},
): Promise<OpenPublicServer> {
  const badCopies: string[] = [];
  let tellDrained = (_cut: number) => {};
  const drained = new Promise<number>((resolve) => {
    tellDrained = resolve;
  });
  const passing = { allowPrivateAddresses: true, requestTimeoutMs: 0, stallTimeoutMs: 0, maxResponses: maxPassed };
  const setup = { id: 'test-node', version: '1.2.3', reportsRequests, limits: { ...testLimits, ...limits }, passing };
  const lookUps = { lookUp, reportBadCopy: (id: string) => void badCopies.push(id) };
  const publicServer = new PublicServer(
    setup,
    settings,
    {
      ...{ lookUps, bringing, openRange },
      dataObject: (id, row, bag, copy) => dataObject(id, row, bag, copy, assets),
    },
    {
      drained: (_, cut) => tellDrained(cut),
      requests,
    },
  );
  publicServer.useIndex(index);
  const port = await publicServer.listen({ host: '127.0.0.1', port: 0 });
  const leave = async () => {
    await publicServer.close(999, 500);
    for (const { drain } of publicServer.activity.drains) publicServer.cut(drain);
  };
  return { publicServer, port, index, badCopies, drained, leave };
}
