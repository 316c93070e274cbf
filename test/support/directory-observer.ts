// An observer of a directory: what its index says about objects, and waits for changes.
import type { DataObject } from '../../machines/answer.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { dataObject } from '../../src/store/data-object.ts';
import type { ObjectIndex } from '../../src/store/object-index.ts';
import { inTime, type Patience } from './until.ts';

export interface Observer {
  readonly object: (id: string) => DataObject | undefined;
  readonly ids: () => string[];
  readonly bucketWorkers: () => Readonly<Record<string, readonly number[]>>;
  readonly conditions: () => string[];
  /** The message of the condition of this type; undefined: there is none. */
  readonly message: (type: string) => string | undefined;
  /** Resolves as soon as it is so, be it at once. */
  readonly until: (isSo: () => boolean, patience?: Patience) => Promise<void>;
  readonly end: () => void;
}

export function observe(directory: Directory, index: ObjectIndex): Observer {
  let waiting: (() => void)[] = [];
  const end = directory.subscribe(() => {
    for (const check of [...waiting]) check();
  });

  const object = (id: string): DataObject | undefined => {
    index.refresh();
    const row = index.object(id);
    const bag = row && index.bag(row.bag);
    return row && bag && dataObject(id, row, bag);
  };
  const ids = (): string[] => {
    index.refresh();
    return [...index.objectIds('')];
  };
  const conditions = (): string[] => directory.conditions.map(({ type }) => type);

  return {
    object,
    ids,
    bucketWorkers: () => {
      index.refresh();
      return Object.fromEntries([...index.buckets()].map(([id, { workers }]) => [id, workers]));
    },
    conditions,
    message: (type) => directory.conditions.find((condition) => condition.type === type)?.message,
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
        {
          seen: () => JSON.stringify([directory.progress, directory.conditions, ids().slice(0, 5).map(object)]),
          ...patience,
        },
      ),
    end,
  };
}
