// A squid directory under test: an index that counts its writes, and a clock that stops at every pause between syncs.
import { EventEmitter, once } from 'node:events';
import type { Settings } from '../../machines/settings.ts';
import { monotonicMs } from '../../src/base/monotonic.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { Clock } from '../../src/directory/squid/clock.ts';
import { openSquid } from '../../src/directory/squid/squid.ts';
import type { SquidSetup } from '../../src/ipc/content-messages.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexTransaction, IndexWriter } from '../../src/store/object-index.ts';
import { inTime } from './until.ts';

export const squidSetup = (url: string, more: Partial<SquidSetup> = {}): SquidSetup => ({
  ...{ kind: 'squid', url, pageBags: 3, pauseMs: 0, pageTimeoutMs: 20_000, syncEveryMs: 60_000 },
  ...{ lookUpTimeoutMs: 20_000, lookUpPauseMs: 0, maxWaitingLookUps: 1000, cacheMs: 60_000, maxCachedLookUps: 1000 },
  ...more,
});

/** Pauses shorter than this end at once; longer ones when the test says so. */
const longMs = 1000;

export class RigClock implements Clock {
  readonly #events = new EventEmitter();
  #aheadMs = 0;
  #syncs = 0;
  /** How many pauses there are now. */
  resting = 0;

  monotonicMs(): number {
    return monotonicMs() + this.#aheadMs;
  }

  now(): string {
    this.#syncs += 1;
    return new Date(this.#syncs * 1000).toISOString();
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms < longMs) return new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) return;
    const end = once(this.#events, 'wake', { signal }).catch(() => {});
    this.resting += 1;
    this.#events.emit('rest');
    await end;
    this.resting -= 1;
  }

  /** Ends the pause. */
  wake(): void {
    this.#events.emit('wake');
  }

  /** The next pause between two syncs begins. */
  async rest(): Promise<void> {
    await inTime('the pause between two syncs', once(this.#events, 'rest'));
  }
}

/** Numbers of transactions and of rows written. */
export interface Written {
  transactions: number;
  objects: number;
  bags: number;
  removed: number;
}

/** An index that counts what is written to it. */
export function countingIndex(index: IndexWriter): { readonly index: IndexWriter; readonly written: Written } {
  const written: Written = { transactions: 0, objects: 0, bags: 0, removed: 0 };
  const counters: Readonly<Record<string, keyof Written>> = {
    putObject: 'objects',
    putBag: 'bags',
    removeObject: 'removed',
    removeBag: 'removed',
  };
  const counting = (tx: IndexTransaction): IndexTransaction =>
    new Proxy(tx, {
      get: (target, name) => {
        const counter = counters[String(name)];
        if (counter !== undefined) written[counter] += 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const transact: IndexWriter['transact'] = (change) => {
    written.transactions += 1;
    return index.transact((tx) => change(counting(tx)));
  };
  const counted = new Proxy(index, {
    get: (target, name) => {
      if (name === 'transact') return transact;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { index: counted, written };
}

export interface SquidRig {
  readonly directory: Directory;
  readonly index: IndexWriter;
  readonly written: Written;
  readonly clock: RigClock;
  readonly logged: string[];
  /** Starts, and ends the first pause between syncs. @returns when the next begins */
  first(settings: Settings): Promise<void>;
  /** One more sync, or another attempt. */
  sync(): Promise<void>;
  /** @returns what was written during `run` */
  during(run: () => Promise<unknown>): Promise<Written>;
}

export function squidRig(setup: SquidSetup, existing?: IndexWriter): SquidRig {
  const source = { kind: 'squid', name: setup.url } as const;
  const { index, written } = countingIndex(existing ?? memoryIndex(source));
  const clock = new RigClock();
  const logged: string[] = [];
  const log = { info: (line: string) => void logged.push(line), warn: (line: string) => void logged.push(line) };
  const directory = openSquid(setup, { index, log, clock });
  return {
    ...{ directory, index, written, clock, logged },
    first: async (settings) => {
      directory.configure(settings);
      const rest = clock.rest();
      directory.start();
      await rest;
    },
    sync: async () => {
      const rest = clock.rest();
      clock.wake();
      await rest;
    },
    during: async (run) => {
      const before = { ...written };
      await run();
      return {
        transactions: written.transactions - before.transactions,
        objects: written.objects - before.objects,
        bags: written.bags - before.bags,
        removed: written.removed - before.removed,
      };
    },
  };
}
