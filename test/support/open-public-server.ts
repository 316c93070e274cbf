// A public server in this process, listening on a free port, for tests of its answers.
import type { DataObject } from '../../machines/answer.ts';
import type { Settings } from '../../machines/settings.ts';
import type { PublicLimits, RequestsReport } from '../../src/ipc/messages.ts';
import { PublicServer } from '../../src/public/public-server.ts';
import { snapshotOf } from './folder.ts';
import { testLimits } from './public-side-twin.ts';

export interface OpenPublicServer {
  readonly publicServer: PublicServer;
  readonly port: number;
  /** Ids of the reported bad copies. */
  readonly badCopies: string[];
  /** Resolves with how many connections were cut, when the last of the first drain has gone. */
  readonly drained: Promise<number>;
  leave(): Promise<void>;
}

export async function openPublicServer(
  objects: readonly DataObject[],
  {
    settings = { workerId: 0, buckets: null },
    limits = {},
    reportsRequests = false,
    requests = () => {},
  }: {
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
  const setup = { id: 'test-node', version: '1.2.3', reportsRequests, limits: { ...testLimits, ...limits } };
  const publicServer = new PublicServer(setup, settings, {
    drained: (_, cut) => tellDrained(cut),
    badCopy: (id) => badCopies.push(id),
    requests,
  });
  publicServer.apply({ type: 'replaced', snapshot: snapshotOf(...objects) });
  const port = await publicServer.listen({ host: '127.0.0.1', port: 0 });
  const leave = async () => {
    await publicServer.close(999, 500);
    for (const { drain } of publicServer.activity.drains) publicServer.cut(drain);
  };
  return { publicServer, port, badCopies, drained, leave };
}
