// The content side without a process: what a test sets is what the node knows.
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { DatedCondition } from '../../src/base/condition.ts';
import type { ContentStatus, DirectoryNames } from '../../src/ipc/content-messages.ts';
import type { ContentSide, ContentSideEvent } from '../../src/supervisor/content-side.ts';
import { KnownNames } from '../../src/supervisor/directory-names.ts';

/** A directory that was read; workers 0 to 9 have two buckets each. */
export const readStatus: ContentStatus = {
  indexId: 'index',
  isSettled: true,
  objects: 1,
  bags: 1,
  readAt: '2026-11-23T08:00:00.000Z',
  progress: null,
  ...{ copies: 0, copyBytes: 0, copiesToRemove: 0, downloadCount: 0, downloads: [] },
  conditions: [],
};

const usualNames: DirectoryNames = {
  bucketWorkers: Object.fromEntries(
    Array.from({ length: 10 }, (_, worker) => [
      [`${worker}:0`, [worker]],
      [`${worker}:1`, [worker]],
    ]).flat(),
  ),
  isComplete: true,
};

export class ContentSideTwin implements ContentSide {
  readonly settled = Promise.resolve();
  readonly pid = 1;
  status: ContentStatus | null = readStatus;
  conditions: readonly DatedCondition[] = [];
  /** The settings it was given, in order. */
  readonly configured: Settings[] = [];
  /** What a preview answers; an error: it rejects. */
  answer: CoverageChange | Error | ((before: Settings, after: Settings) => CoverageChange);
  readonly #names = new KnownNames();
  readonly #listeners = new Set<(event: ContentSideEvent) => void>();

  constructor(names: DirectoryNames = usualNames) {
    this.#names.set(names);
    this.answer = (before, after) => {
      const none = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };
      const one = { count: 1, bytes: 7, sizeUnknown: 0, ids: ['42'] };
      return { dropped: none, gained: before.workerId === after.workerId ? none : one };
    };
  }

  start(): void {}

  configure(settings: Settings): void {
    this.configured.push(settings);
  }

  async preview(before: Settings, after: Settings): Promise<CoverageChange> {
    if (this.answer instanceof Error) throw this.answer;
    return typeof this.answer === 'function' ? this.answer(before, after) : this.answer;
  }

  knows(bucketId: string): boolean | null {
    return this.#names.has(bucketId);
  }

  bucketsOf(workerId: number): readonly string[] | null {
    return this.#names.bucketsOf(workerId);
  }

  subscribe(listener: (event: ContentSideEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As a new report does. */
  report(status: ContentStatus): void {
    this.status = status;
    for (const listener of [...this.#listeners]) listener({ type: 'changed' });
  }

  rebuildIndex(): void {}

  kill(): void {}

  async end(): Promise<void> {}
}
