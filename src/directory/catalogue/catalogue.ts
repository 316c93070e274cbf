// A catalogue as a directory: starts, restarts and stops the thread that reads it.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { condition, type ReasonOf } from '../../base/condition.ts';
import { messageOf } from '../../base/errors.ts';
import { settlesWithin } from '../../base/timeout.ts';
import type { Directory } from '../directory.ts';
import { DirectoryState, type Replacement } from '../directory-state.ts';
import type { CatalogueThreadData, ThreadNotice, ThreadOrder } from './catalogue-messages.ts';
import { isCatalogueBucketId } from './catalogue-schema.ts';

export interface CatalogueOptions {
  /** Absolute path of the catalogue, which need not exist yet. */
  readonly file: string;
  /** Absolute; file hashes are saved here. Need not exist. */
  readonly stateDirectory: string;
  /** How often the catalogue and its files are checked for changes. */
  readonly checkEveryMs: number;
  /** Timeout of `start` for the first read. */
  readonly firstLookMs: number;
  /** The entry of the thread; tests replace it. */
  readonly threadUrl?: URL;
  readonly log?: { info(message: string): void; warn(message: string): void };
}

/** Same extension as this file: `.js` when built, `.ts` from source. */
const ownThread = new URL(`./catalogue-thread${extname(import.meta.url)}`, import.meta.url);

/** How long a thread may take to stop when asked, and again when terminated. */
const stopMs = 1000;
/** Delay before a dead thread is replaced, doubled with each consecutive death. */
const firstRestartMs = 500;
const maxRestartMs = 60_000;

/** Reads nothing before `start`. Failures become conditions, never errors. */
export function openCatalogue({ log, threadUrl = ownThread, firstLookMs, ...data }: CatalogueOptions): Directory {
  const known = new DirectoryState();
  let thread: Worker | null = null;
  let replacement: Replacement = known.replace();
  let restartMs = firstRestartMs;
  let restart: NodeJS.Timeout | null = null;
  let started: Promise<void> | null = null;
  let stopped = false;
  let isGivenUp = false;
  let firstLook = (): void => {};

  const order = (it: ThreadOrder): void => thread?.postMessage(it);

  function take(notice: ThreadNotice): void {
    switch (notice.type) {
      case 'part':
        if (notice.first) replacement = known.replace();
        replacement.add(notice.objects);
        break;
      case 'whole':
        replacement.finish(notice.bucketWorkers);
        restartMs = firstRestartMs;
        firstLook();
        break;
      case 'updated':
        known.update(notice.objects);
        break;
      case 'conditions':
        known.setConditions(notice.conditions);
        return;
      case 'log':
        log?.[notice.level](notice.message);
        return;
    }
    order({ type: 'next' });
  }

  function open(): void {
    restart = null;
    let why = 'it ended';
    const worker = new Worker(threadUrl, { name: 'catalogue', workerData: data satisfies CatalogueThreadData });
    thread = worker;
    worker.on('message', (notice: ThreadNotice) => {
      if (!stopped) take(notice);
    });
    worker.on('error', (error) => {
      why = messageOf(error);
    });
    worker.on('exit', () => {
      thread = null;
      if (!stopped) reopen(why);
    });
  }

  /** Continues with the current contents, even if empty. */
  function goOn(reason: ReasonOf<'CatalogueInvalid'>, message: string): void {
    known.setConditions([condition('CatalogueInvalid', reason, message)]);
    if (known.isEmpty) known.replace().finish({});
    firstLook();
  }

  /** Keeps the current contents. */
  function reopen(why: string): void {
    const message = `The catalogue thread has died: ${why}`;
    log?.warn(message);
    goOn('ReaderDied', message);
    restart = setTimeout(open, restartMs);
    restartMs = Math.min(2 * restartMs, maxRestartMs);
  }

  async function stop(): Promise<void> {
    stopped = true;
    known.close();
    firstLook();
    if (restart) clearTimeout(restart);
    const worker = thread;
    if (!worker) return;
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    order({ type: 'stop' });
    if (await settlesWithin(gone, stopMs)) return;
    void worker.terminate();
    isGivenUp = !(await settlesWithin(gone, stopMs));
  }

  return {
    start: () => {
      started ??= new Promise((resolve) => {
        const late = setTimeout(() => {
          goOn('NotRead', `${data.file} is still being read. None of its objects is served until it has been read.`);
        }, firstLookMs);
        firstLook = () => {
          clearTimeout(late);
          resolve();
        };
        if (stopped) firstLook();
        else open();
      });
      return started;
    },
    stop,
    get isStuck() {
      return isGivenUp && thread !== null;
    },
    subscribe: (listener) => (stopped ? () => {} : known.subscribe(listener)),
    subscribeConditions: (listener) => (stopped ? () => {} : known.subscribeConditions(listener)),
    get conditions() {
      return known.conditions;
    },
    knows: (bucketId) => known.knows(bucketId),
    bucketsOf: (workerId) => known.bucketsOf(workerId),
    contents: () => known.contents(),
    isBucketId: isCatalogueBucketId,
    doubt: (objectId) => order({ type: 'doubt', objectId }),
  };
}
