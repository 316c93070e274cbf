// Keeps as many public workers alive as there should be: starts them, replaces those that die, ever more slowly.
import type { DatedCondition } from '../base/condition.ts';
import { Crashes } from './crashes.ts';
import type { Departure, WorkerProcess } from './server-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface ProcessPoolOptions extends Omit<SupervisionTimes, 'rejoinMs'> {
  readonly count: number;
  /** @param number of its place, from 0: no other process that is alive has it */
  readonly spawn: (number: number) => WorkerProcess;
  /** Make it ready for work. Resolves as well when it has died over it. */
  readonly bringUp: (worker: WorkerProcess) => Promise<void>;
  readonly onReady: (worker: WorkerProcess) => void;
  readonly onGone: (worker: WorkerProcess, departure: Departure) => void;
}

/** One of the workers there should be, whoever fills it. */
interface Place {
  readonly number: number;
  worker: WorkerProcess | null;
  deathsInARow: number;
  nextTryAt: number | null;
  timer: NodeJS.Timeout | undefined;
}

export class ProcessPool {
  readonly #options: ProcessPoolOptions;
  readonly #crashes: Crashes;
  readonly #places: Place[];
  /** Every process that has not gone. */
  readonly #alive = new Set<WorkerProcess>();
  readonly #watchers = new Set<(departure?: Departure) => void>();
  #stopped = false;

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
    this.#crashes = new Crashes(options.calmMs);
    this.#places = Array.from({ length: options.count }, (_, number) => ({
      number,
      worker: null,
      deathsInARow: 0,
      nextTryAt: null,
      timer: undefined,
    }));
  }

  /** Fills every empty place at once, one that waits for its time too. */
  start(): void {
    for (const place of this.#places) if (place.worker === null) this.#fill(place);
  }

  /** No more replacements; resolves when the last worker has left, or been killed because it would not. */
  async end(): Promise<void> {
    this.#stopped = true;
    for (const place of this.#places) clearTimeout(place.timer);
    await Promise.all(
      this.alive.map(async (worker) => {
        if (worker.ready) await worker.leave();
        else worker.kill('Killed', 'was not needed any more', true);
        await worker.gone;
      }),
    );
  }

  get alive(): readonly WorkerProcess[] {
    return [...this.#alive];
  }

  /** Those that can be given work. */
  get ready(): readonly WorkerProcess[] {
    return this.alive.filter(({ ready }) => ready);
  }

  get conditions(): readonly DatedCondition[] {
    // One that has served for a while has broken the row, though the count is only begun anew at its death.
    const rowOf = ({ worker, deathsInARow }: Place) =>
      worker?.ready && performance.now() - worker.readyAt >= this.#options.steadyMs ? 0 : deathsInARow;
    const worst = this.#places.reduce((a, b) => (rowOf(b) > rowOf(a) ? b : a));
    return this.#crashes.conditions(rowOf(worst), worst.nextTryAt);
  }

  /**
   * A worker that can be given work; one whose replacement waits for its time is started at once.
   * @throws {Error} with the operator's reason when the last of them died, or the signal's when it is aborted
   */
  async someReady(signal: AbortSignal): Promise<WorkerProcess> {
    if (this.ready.length === 0) this.start();
    for (;;) {
      signal.throwIfAborted();
      if (this.#stopped) throw new Error('The node is shutting down');
      const [first] = this.ready;
      if (first) return first;
      const departure = await this.#nextEvent(signal);
      if (departure && !departure.expected && this.#alive.size === 0) {
        throw new Error(`No public worker could be started: the last one ${departure.words}`);
      }
    }
  }

  #fill(place: Place): void {
    clearTimeout(place.timer);
    if (this.#stopped) return;
    place.nextTryAt = null;
    const worker = this.#options.spawn(place.number);
    place.worker = worker;
    this.#alive.add(worker);
    void worker.gone.then((departure) => this.#lose(worker, departure));
    void this.#options.bringUp(worker).then(() => {
      if (!worker.alive) return;
      worker.ready = true;
      worker.readyAt = performance.now();
      this.#options.onReady(worker);
      this.#wake();
    });
  }

  #fillLater(place: Place): void {
    const { backoffMs, maxBackoffMs } = this.#options;
    place.deathsInARow += 1;
    const pause = Math.min(backoffMs * 2 ** (place.deathsInARow - 1), maxBackoffMs);
    place.nextTryAt = Date.now() + pause;
    place.timer = setTimeout(() => this.#fill(place), pause);
  }

  #lose(worker: WorkerProcess, departure: Departure): void {
    this.#alive.delete(worker);
    if (!departure.expected) this.#crashes.note(departure);
    const place = this.#places.find((one) => one.worker === worker);
    if (place) {
      place.worker = null;
      if (performance.now() - worker.readyAt >= this.#options.steadyMs) place.deathsInARow = 0;
      if (this.#stopped) clearTimeout(place.timer);
      else if (departure.expected) this.#fill(place);
      else this.#fillLater(place);
    }
    this.#options.onGone(worker, departure);
    this.#wake(departure);
  }

  #wake(departure?: Departure): void {
    for (const watcher of [...this.#watchers]) watcher(departure);
  }

  #nextEvent(signal: AbortSignal): Promise<Departure | undefined> {
    return new Promise((resolve) => {
      const seen = (departure?: Departure) => {
        this.#watchers.delete(seen);
        signal.removeEventListener('abort', aborted);
        resolve(departure);
      };
      const aborted = () => seen();
      this.#watchers.add(seen);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
