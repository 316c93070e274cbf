// A catalogue as a directory: assembles its reader, the scan for changed files, and the hash queue.
import type { DataObject } from '../../../machines/answer.ts';
import type { Condition } from '../../base/condition.ts';
import { lazyHasher } from '../../base/content-hash.ts';
import type { CatalogueSetup } from '../../ipc/content-messages.ts';
import type { LookUp } from '../../ipc/look-up.ts';
import type { BagAssignment, IndexWriter, ObjectRow } from '../../store/object-index.ts';
import type { Directory, DirectoryProgress } from '../directory.ts';
import { fileConditions } from './catalogue-conditions.ts';
import { hashedMark, readMarkOf } from './catalogue-marks.ts';
import { CatalogueReader, type Log } from './catalogue-reader.ts';
import { ChangeListeners } from './change-listeners.ts';
import { FileScan } from './file-scan.ts';
import { FindingWriter } from './finding-writer.ts';
import { HashQueue } from './hash-queue.ts';
import { limitHashRate } from './hash-rate.ts';
import { IndexWrites, NotWritten } from './index-writes.ts';

export interface CatalogueParts {
  readonly index: IndexWriter;
  readonly log: Log;
  /** The data object that a row and its bag describe. */
  readonly dataObject: (id: string, row: ObjectRow, bag: BagAssignment) => DataObject;
  /** Delay before a failed write to the index is retried; default: 10 s. */
  readonly retryMs?: number;
}

/** Reads nothing before `start`. Lists every object, whatever the settings. Failures become conditions, never errors. */
export function openCatalogue(setup: CatalogueSetup, parts: CatalogueParts): Directory {
  const { index, log, dataObject, retryMs = 10_000 } = parts;
  const stopping = new AbortController();
  const listeners = new ChangeListeners();
  const writes = new IndexWrites(() => listeners.notifySoon());
  const findings = new FindingWriter(index, writes, retryMs, () => filesChanged());
  let root = '';
  let filesAreCurrent = false;
  let files: readonly Condition[] = [];
  let scanning: NodeJS.Timeout | null = null;
  let stopped: Promise<void> | null = null;

  const queue = new HashQueue({
    index,
    // Each reads one file at a time.
    hashFile: lazyHasher(),
    pace: limitHashRate(setup.hashBytesPerSec, stopping.signal),
    findings,
    retryMs,
    onDone: noteHashed,
    onProgress: () => listeners.notifySoon(),
  });
  const fileScan = new FileScan({
    index,
    writes,
    root: () => root,
    toRead: (id) => queue.addChanged(id),
    onWritten: filesChanged,
  });
  const reader = new CatalogueReader({
    setup,
    index,
    writes,
    hashFile: lazyHasher(),
    log,
    retryMs,
    hold: (isHeld) => {
      queue.pause(isHeld);
      findings.hold(isHeld);
      fileScan.hold(isHeld);
    },
    onRead: (filesToHash) => {
      root = readMarkOf(index)?.root ?? '';
      if (index.mark(hashedMark) !== true) queue.pass(filesToHash);
      // Not before: a queue that has nothing to do notes that all files are hashed.
      queue.start();
      scanning ??= setInterval(() => fileScan.round(), setup.checkEveryMs);
      filesChanged();
    },
    onChange: () => listeners.notifySoon(),
  });

  function filesChanged(): void {
    filesAreCurrent = false;
    listeners.notifySoon();
  }

  function noteHashed(): void {
    if (readMarkOf(index) === undefined || index.mark(hashedMark) === true) return;
    try {
      writes.attempt('files', () => index.transact((tx) => tx.putMark(hashedMark, true)));
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
    }
  }

  /** Read again only after a change: it takes up to a thousand reads of the index. */
  function fileConditionsNow(): readonly Condition[] {
    if (!filesAreCurrent) {
      index.refresh();
      files = fileConditions(index);
      filesAreCurrent = true;
    }
    return files;
  }

  function progress(): DirectoryProgress {
    return {
      activity: reader.isReading ? 'reading' : queue.isBusy ? 'hashing' : 'idle',
      ...{ bagsRead: null, objectsRead: reader.objectsRead, filesToHash: queue.filesToHash },
      ...{ readAt: readMarkOf(index)?.readAt ?? null, height: null, squidVersion: null },
    };
  }

  function lookUp(id: string): LookUp {
    index.refresh();
    const row = index.object(id);
    const bag = row && index.bag(row.bag);
    if (!row || !bag) return { result: index.summary.readAt === null ? 'undecided' : 'unknown' };
    const bucketWorkers = bag.distributionBuckets.map((it) => [it, index.bucket(it)?.workers ?? []] as const);
    return { result: 'found', object: dataObject(id, row, bag), bucketWorkers: Object.fromEntries(bucketWorkers) };
  }

  async function stop(): Promise<void> {
    stopping.abort();
    listeners.stop();
    if (scanning) clearInterval(scanning);
    await Promise.all([reader.stop(), fileScan.stop(), queue.stop()]);
    findings.stop();
  }

  let isStarted = false;
  return {
    start: () => {
      if (isStarted || stopped !== null) return;
      isStarted = true;
      reader.start();
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    configure: () => {},
    unread: () => [],
    lookUp: async (id) => lookUp(id),
    reportBadCopy: (id) => {
      if (!isStarted || stopped !== null || index.object(id) === undefined) return;
      fileScan.check(id);
      // Even if the file has changed: the stored hash may be that of another version.
      queue.addBadCopy(id);
    },
    get conditions() {
      return [reader.condition ?? [], writes.condition ?? [], fileConditionsNow()].flat();
    },
    get progress() {
      return progress();
    },
    subscribe: (listener) => listeners.subscribe(listener),
  };
}
