// A public room in this process, listening on a free port, for tests of what it answers.
import type { DataObject } from '../../machines/answer.ts';
import type { Settings } from '../../machines/settings.ts';
import type { PublicLimits, RequestsReport } from '../../src/messages.ts';
import { PublicRoom } from '../../src/public/room.ts';
import { snapshotOf } from './folder.ts';
import { testLimits } from './public-side-twin.ts';

export interface OpenRoom {
  readonly room: PublicRoom;
  readonly port: number;
  /** Ids of objects in doubt, as they were told. */
  readonly doubts: string[];
  /** Resolves with how many connections were cut, when the last of the first drain has gone. */
  readonly drained: Promise<number>;
  leave(): Promise<void>;
}

export async function openRoom(
  objects: readonly DataObject[],
  {
    settings = { workerId: 0, buckets: null },
    limits = {},
    tellsRequests = false,
    requests = () => {},
  }: {
    settings?: Settings;
    limits?: Partial<PublicLimits>;
    tellsRequests?: boolean;
    requests?: (report: RequestsReport) => void;
  } = {},
): Promise<OpenRoom> {
  const doubts: string[] = [];
  let tellDrained = (_cut: number) => {};
  const drained = new Promise<number>((resolve) => {
    tellDrained = resolve;
  });
  const times = { startedAt: Date.now(), limits: { ...testLimits, ...limits } };
  const setup = { id: 'test-node', version: '1.2.3', tellsRequests, ...times };
  const room = new PublicRoom(setup, settings, {
    drained: (_, cut) => tellDrained(cut),
    doubt: (id) => doubts.push(id),
    requests,
  });
  room.apply({ type: 'replaced', snapshot: snapshotOf(...objects) });
  const port = await room.listen({ host: '127.0.0.1', port: 0 });
  const leave = async () => {
    await room.close(999, 500);
    for (const { drain } of room.figures.drains) room.cut(drain);
  };
  return { room, port, doubts, drained, leave };
}
