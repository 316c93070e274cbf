// A process that writes or reads an index: `index-process.js MODE FOLDER [SEED]`. It reports to its parent by messages.
import { once } from 'node:events';
import { openIndexReader, openIndexWriter } from '../../src/store/lmdb-index.ts';
import type { IndexTransaction } from '../../src/store/object-index.ts';
import { inBuckets, recount, squidRow } from './rows.ts';

const objects = 120;
const bags = ['a', 'b', 'c'];
const source = { kind: 'squid', name: 'http://squid' } as const;
const maxBytes = 2 ** 26;

const [mode, folder = '', seed = '1'] = process.argv.slice(2);
const report = (message: unknown) => process.send?.(message);

/** The same numbers for the same seed. */
let state = Number(seed);
const random = (below: number): number => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return Math.floor((state / 2 ** 31) * below);
};
const anyBag = (): string => bags[random(bags.length)] as string;

/** Every object of a version has the version's number as its type. */
const change = (tx: IndexTransaction, id: string, version: number) =>
  tx.putObject(id, squidRow(anyBag(), { size: random(1000), type: String(version), accepted: random(5) > 0 }));

const modes: Readonly<Record<string, () => Promise<void>>> = {
  /** Builds and publishes versions and changes them, forever. Reports every commit. */
  async write() {
    const index = openIndexWriter(folder, { source, maxBytes });
    const ids = Array.from({ length: objects }, (_, id) => String(id));
    for (;;) {
      const next = index.summary.version + 1;
      const version = index.newVersion();
      for (let step = 0; step < 3; step += 1) {
        version.transact((tx) => {
          for (const bag of bags) tx.putBag(bag, inBuckets(bag));
          for (const id of ids.slice(step * (objects / 3), (step + 1) * (objects / 3))) change(tx, id, next);
        });
        report('built');
      }
      version.publish((tx) => tx.putMark('published', next));
      report('published');
      for (let step = 0; step < 5; step += 1) {
        index.transact((tx) => {
          for (let moved = 0; moved < 10; moved += 1) change(tx, String(random(objects)), next);
        });
        index.tidy();
        report('changed');
      }
      await new Promise(setImmediate);
    }
  },

  /** Compares every state that it sees with a recount, forever. Reports the version, or what is wrong. */
  async check() {
    const index = openIndexReader(folder);
    for (;;) {
      index.refresh();
      report(faultOf(index));
      await new Promise(setImmediate);
    }
  },

  /** Counts, each time when its parent asks. */
  async count() {
    const index = openIndexWriter(folder, { source, maxBytes });
    report('ready');
    for (let count = 1; ; count += 1) {
      await once(process, 'message');
      index.transact((tx) => tx.putMark('count', count));
      report(count);
    }
  },

  /** Has read, and reads no more. */
  async idle() {
    const index = openIndexReader(folder);
    index.object('1');
    // After the timer that ends the read transaction.
    setTimeout(() => report('ready'), 1);
    await once(process, 'disconnect');
  },

  /** Writes until it fails, then a little. */
  async fill() {
    const index = openIndexWriter(folder, { source, maxBytes });
    let before = index.summary.totals;
    try {
      for (let first = 0; ; first += 500) {
        before = index.summary.totals;
        index.transact((tx) => {
          for (let id = first; id < first + 500; id += 1) tx.putObject(String(id), squidRow('a', { size: 1 }));
        });
      }
    } catch (error) {
      const sameTotals = JSON.stringify(recount(index)) === JSON.stringify(before);
      index.transact((tx) => tx.removeObject('1'));
      const canBeWritten = index.object('1') === undefined;
      report({ code: (error as NodeJS.ErrnoException).code, sameTotals, canBeWritten });
    }
    await once(process, 'disconnect');
  },

  /** Is in the middle of an iteration. */
  async iterate() {
    const index = openIndexReader(folder);
    for (const id of index.objectIds('')) {
      report(id);
      await once(process, 'disconnect');
    }
  },
};

type Seen = { readonly version: number } | { readonly fault: string };

function faultOf(index: ReturnType<typeof openIndexReader>): Seen {
  try {
    const { version, totals } = index.summary;
    const counted = recount(index);
    if (JSON.stringify(counted) !== JSON.stringify(totals)) return { fault: `${JSON.stringify([counted, totals])}` };
    if (index.mark('published') !== (version === 0 ? undefined : version))
      return { fault: 'the mark is of another version' };
    const types = new Set([...index.objectIds('')].map((id) => index.object(id)?.type));
    if (version > 0 && (totals.objects !== objects || types.size !== 1 || !types.has(String(version)))) {
      return { fault: `version ${version} has ${totals.objects} objects of ${[...types]}` };
    }
    return { version };
  } catch (error) {
    return { fault: String(error) };
  }
}

await modes[mode ?? '']?.();
process.exit();
