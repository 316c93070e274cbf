// Keeps a number of processes of one kind running: starts them, and replaces those that die, with backoff.
import type { DatedCondition } from '../base/condition.ts';
import { settlesWithin } from '../base/timeout.ts';
import { Crashes, type CrashWords } from './crashes.ts';
import type { Departure, SupervisedProcess } from './supervised-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface ProcessPoolOptions<P extends Member> extends Omit<SupervisionTimes, 'rejoinMs'> {
  readonly count: number;
  readonly crashWords: CrashWords;
  /** How long a process may take to leave when it is ordered to. */
  readonly leaveMs: number;
  /** @param number number of its slot, from 0: unique among the live processes */
  readonly spawn: (number: number) => P;
  /** Makes it ready for work. Also resolves if it dies. */
  readonly bringUp: (process: P) => Promise<void>;
  readonly onReady: (process: P) => void;
  readonly onGone: (process: P, departure: Departure) => void;
}

/** What a pool uses of a process. */
type Member = Pick<SupervisedProcess, 'gone' | 'ready' | 'readyAt' | 'alive' | 'leave' | 'kill' | 'giveUp'>;

/** A slot of the pool, for one process at a time. */
interface Slot<P extends Member> {
  readonly number: number;
  process: P | null;
  failureStreak: number;
  nextTryAt: number | null;
  timer: NodeJS.Timeout | undefined;
}

/** How long a killed process may take to exit at the end; a hung disk can delay it forever. */
const exitMs = 2000;

export class ProcessPool<P extends Member> {
  readonly #options: ProcessPoolOptions<P>;
  readonly #crashes: Crashes;
  readonly #slots: Slot<P>[];
  /** Every process that has not exited. */
  readonly #alive = new Set<P>();
  readonly #watchers = new Set<(departure?: Departure) => void>();
  #stopped = false;

  constructor(options: ProcessPoolOptions<P>) {
    this.#options = options;
    this.#crashes = new Crashes(options.calmMs, options.crashWords);
    this.#slots = Array.from({ length: options.count }, (_, number) => ({
      number,
      process: null,
      failureStreak: 0,
      nextTryAt: null,
      timer: undefined,
    }));
  }

  /** Fills every empty slot at once, even during its backoff. */
  start(): void {
    for (const slot of this.#slots) if (slot.process === null) this.#fill(slot);
  }

  /** Stops replacing processes; resolves when the last one has exited, or was killed because it did not. One that cannot be killed is left behind. */
  async end(): Promise<void> {
    this.#stopped = true;
    for (const slot of this.#slots) clearTimeout(slot.timer);
    await Promise.all(
      this.alive.map(async (process) => {
        if (process.ready) await process.leave(this.#options.leaveMs);
        else process.kill('Killed', 'was no longer needed', true);
        if (!(await settlesWithin(process.gone, exitMs))) process.giveUp();
      }),
    );
  }

  get alive(): readonly P[] {
    return [...this.#alive];
  }

  /** Processes that can take work. */
  get ready(): readonly P[] {
    return this.alive.filter(({ ready }) => ready);
  }

  get conditions(): readonly DatedCondition[] {
    // A process that stayed up for `steadyMs` ends the failure streak; the count itself is reset at its death.
    const streakOf = ({ process, failureStreak }: Slot<P>) =>
      process?.ready && performance.now() - process.readyAt >= this.#options.steadyMs ? 0 : failureStreak;
    const worst = this.#slots.reduce((a, b) => (streakOf(b) > streakOf(a) ? b : a));
    return this.#crashes.conditions(streakOf(worst), worst.nextTryAt);
  }

  /**
   * Resolves with a process that can take work. If there is none, empty slots are filled at once.
   * @throws {Error} with a reason for the operator when the last process has died, or the signal's when it is aborted
   */
  async someReady(signal: AbortSignal): Promise<P> {
    if (this.ready.length === 0) this.start();
    for (;;) {
      signal.throwIfAborted();
      if (this.#stopped) throw new Error('The node is shutting down');
      const [first] = this.ready;
      if (first) return first;
      const departure = await this.#nextEvent(signal);
      if (departure && !departure.expected && this.#alive.size === 0) {
        throw new Error(`No ${this.#options.crashWords.what} could be started: the last one ${departure.description}`);
      }
    }
  }

  #fill(slot: Slot<P>): void {
    clearTimeout(slot.timer);
    if (this.#stopped) return;
    slot.nextTryAt = null;
    const process = this.#options.spawn(slot.number);
    slot.process = process;
    this.#alive.add(process);
    void process.gone.then((departure) => this.#lose(process, departure));
    void this.#options.bringUp(process).then(() => {
      if (!process.alive) return;
      process.ready = true;
      process.readyAt = performance.now();
      this.#options.onReady(process);
      this.#wake();
    });
  }

  #fillLater(slot: Slot<P>): void {
    const { backoffMs, maxBackoffMs } = this.#options;
    slot.failureStreak += 1;
    const pause = Math.min(backoffMs * 2 ** (slot.failureStreak - 1), maxBackoffMs);
    slot.nextTryAt = Date.now() + pause;
    slot.timer = setTimeout(() => this.#fill(slot), pause);
  }

  #lose(process: P, departure: Departure): void {
    this.#alive.delete(process);
    if (!departure.expected) this.#crashes.note(departure);
    const slot = this.#slots.find((one) => one.process === process);
    if (slot) {
      slot.process = null;
      if (performance.now() - process.readyAt >= this.#options.steadyMs) slot.failureStreak = 0;
      if (this.#stopped) clearTimeout(slot.timer);
      else if (departure.expected) this.#fill(slot);
      else this.#fillLater(slot);
    }
    this.#options.onGone(process, departure);
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
