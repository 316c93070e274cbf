// An observer of a directory: records its notifications, and waits for one.
import type { DataObject } from '../../machines/answer.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { DirectoryChange } from '../../src/ipc/messages.ts';
import { inTime, type Patience } from './until.ts';

export interface Observer {
  readonly changes: readonly DirectoryChange[];
  readonly object: (id: string) => DataObject | undefined;
  readonly ids: () => string[];
  readonly bucketWorkers: () => Readonly<Record<string, readonly number[]>>;
  readonly conditions: () => string[];
  /** Resolves as soon as it is so, be it at once. */
  readonly until: (isSo: () => boolean, patience?: Patience) => Promise<void>;
  readonly end: () => void;
}

export function observe(directory: Directory): Observer {
  const changes: DirectoryChange[] = [];
  let objects = new Map<string, DataObject>();
  let bucketWorkers: Readonly<Record<string, readonly number[]>> = {};
  let waiting: (() => void)[] = [];

  const wake = () => {
    for (const check of [...waiting]) check();
  };
  const ends = [
    directory.subscribe((change) => {
      changes.push(change);
      if (change.type === 'replaced') {
        objects = new Map(change.snapshot.objects.map((object) => [object.id, object]));
        bucketWorkers = change.snapshot.bucketWorkers;
      } else for (const object of change.objects) objects.set(object.id, object);
      wake();
    }),
    directory.subscribeConditions(wake),
  ];

  return {
    changes,
    object: (id) => objects.get(id),
    ids: () => [...objects.keys()],
    bucketWorkers: () => bucketWorkers,
    conditions: () => directory.conditions.map(({ type }) => type),
    until: (isSo, patience) =>
      inTime(
        String(isSo).replace(/\s+/g, ' '),
        new Promise((resolve) => {
          const check = () => {
            if (!isSo()) return;
            waiting = waiting.filter((it) => it !== check);
            resolve();
          };
          waiting.push(check);
          check();
        }),
        { seen: () => JSON.stringify(changes.at(-1))?.slice(0, 1000), ...patience },
      ),
    end: () => {
      for (const end of ends) end();
    },
  };
}
