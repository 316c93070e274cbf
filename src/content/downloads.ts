// The downloads in progress: one for each object, however many requests follow it.
import type { Arrival, Bringing, Brought, Following, Passage } from '../ipc/arrival.ts';
import type { DownloadInProgress } from '../ipc/content-messages.ts';
import type { Sources } from '../sources/source.ts';
import { canBeCopied } from '../store/copy-path.ts';
import { type DownloadPorts, DownloadRun } from './download-run.ts';
import { type WantedObject, type WishPorts, wishFor } from './wanted-object.ts';

/** A request that starts more than this many bytes beyond the received bytes is passed through. */
export const aheadBytes = 8_388_608;

export interface DownloadsPorts extends DownloadPorts {
  readonly sources: DownloadPorts['sources'] & Pick<Sources, 'urls'>;
  readonly wishes: WishPorts;
  /** False: the disk has failed, so objects are passed through. */
  readonly isDiskFit: () => boolean;
  /** A download has begun, moved on or ended. */
  readonly onChange: () => void;
}

export class Downloads implements Pick<Bringing, 'bring'> {
  readonly #ports: DownloadsPorts;
  readonly #runs = new Map<string, { readonly run: DownloadRun; readonly followers: Set<Follower> }>();
  #isClosed = false;

  constructor(ports: DownloadsPorts) {
    this.#ports = ports;
  }

  bring(id: string, { from, onArrival }: Parameters<Bringing['bring']>[1]): Following {
    const follower = new Follower(from, onArrival, (wanted) => this.#passageOf(wanted));
    this.#bring(id, follower).catch((error: unknown) => {
      this.#ports.log(`Object ${id} cannot be fetched: ${String(error)}`);
      follower.settle({ result: 'undecided' });
    });
    const stop = () => {
      follower.stop();
      const entry = this.#runs.get(id);
      if (!entry?.followers.delete(follower)) return;
      // A download that has begun runs to its end, for the next request.
      if (entry.followers.size === 0 && entry.run.stage === 'requested') entry.run.abort();
    };
    return { brought: follower.brought, stop };
  }

  isArriving(id: string): boolean {
    return this.#runs.has(id);
  }

  get count(): number {
    return this.#runs.size;
  }

  get inProgress(): DownloadInProgress[] {
    return [...this.#runs].map(([id, { run }]) => ({ id, stage: run.stage, size: run.size, received: run.received }));
  }

  /** Aborts all downloads. Resolves when their files are closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const runs = [...this.#runs.values()].map(({ run }) => run);
    for (const run of runs) run.abort();
    await Promise.all(runs.map(({ done }) => done));
  }

  async #bring(id: string, follower: Follower): Promise<void> {
    const { wishes, maxItemBytes } = this.#ports;
    while (!follower.isOver) {
      const entry = this.#runs.get(id);
      if (entry && (entry.run.stage === 'failed' || entry.run.stage === 'here')) {
        await entry.run.done;
        continue;
      }
      if (entry) return this.#follow(entry, follower);
      const wish = await wishFor(id, wishes);
      if (this.#isClosed) return follower.settle({ result: 'undecided' });
      if (typeof wish === 'string') return follower.settle({ result: wish });
      if (this.#runs.has(id) || follower.isOver) continue;
      const isKept = canBeCopied(id) && (wish.source.size ?? 0) <= maxItemBytes && this.#ports.isDiskFit();
      if (!isKept) return follower.settle({ result: 'pass', passage: this.#passageOf(wish) });
      follower.hasBegun = true;
      return this.#follow(this.#begin(id, wish), follower);
    }
  }

  #passageOf({ source, type }: WantedObject): Passage {
    return { urls: this.#ports.sources.urls(source), size: source.size, type };
  }

  #begin(id: string, wanted: WantedObject) {
    const followers = new Set<Follower>();
    const run = new DownloadRun(wanted, this.#ports, () => {
      for (const follower of followers) if (follower.update(run)) followers.delete(follower);
      this.#ports.onChange();
    });
    const entry = { run, followers };
    this.#runs.set(id, entry);
    void run.done.then(() => {
      this.#runs.delete(id);
      this.#ports.onChange();
    });
    return entry;
  }

  #follow({ run, followers }: { run: DownloadRun; followers: Set<Follower> }, follower: Follower): void {
    const isFirst = run.uses === 0;
    run.uses += 1;
    followers.add(follower);
    if (isFirst) run.start();
    else if (follower.update(run)) followers.delete(follower);
  }
}

/** One request. */
class Follower {
  readonly brought: Promise<Brought>;
  /** Whether the download was started for this request. */
  hasBegun = false;
  readonly #from: number;
  readonly #onArrival: (arrival: Arrival) => void;
  readonly #passageOf: (wanted: WantedObject) => Passage;
  #resolve = (_: Brought): void => {};
  #state: 'waiting' | 'answered' | 'following' | 'over' = 'waiting';
  #latest: Arrival | null = null;

  constructor(from: number, onArrival: (arrival: Arrival) => void, passageOf: (wanted: WantedObject) => Passage) {
    this.#from = from;
    this.#onArrival = onArrival;
    this.#passageOf = passageOf;
    this.brought = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  settle(brought: Brought): void {
    this.#state = 'over';
    this.#resolve(brought);
  }

  stop(): void {
    if (this.#state === 'waiting') this.#resolve({ result: 'undecided' });
    this.#state = 'over';
  }

  /** @returns whether the follower needs no more news */
  update(run: DownloadRun): boolean {
    const { arrival } = run;
    if (this.#state === 'waiting') this.#first(run);
    else if (arrival !== null) this.#next(arrival);
    return this.#state === 'over';
  }

  #first(run: DownloadRun): void {
    const { arrival, stage, failure } = run;
    if (stage === 'failed') {
      const isPassed = failure === 'notKept' || failure === 'disk';
      this.settle(isPassed ? { result: 'pass', passage: this.#passageOf(run.wanted) } : { result: 'unavailable' });
    } else if (arrival !== null && stage === 'here') this.settle({ result: 'here' });
    else if (arrival !== null && this.#from > arrival.received + aheadBytes) {
      this.settle({ result: 'pass', passage: { ...this.#passageOf(run.wanted), size: arrival.size } });
    } else if (arrival !== null) this.#begin(arrival);
  }

  #begin(arrival: Arrival): void {
    this.#state = 'answered';
    this.#resolve({ result: 'arriving', arrival, hasBegun: this.hasBegun });
    // The caller must receive the first answer before any further news.
    setImmediate(() => {
      if (this.#state !== 'answered') return;
      this.#state = 'following';
      if (this.#latest !== null) this.#next(this.#latest);
    });
  }

  #next(arrival: Arrival): void {
    if (this.#state === 'answered') this.#latest = arrival;
    if (this.#state !== 'following') return;
    if (arrival.state !== 'arriving') this.#state = 'over';
    this.#onArrival(arrival);
  }
}
