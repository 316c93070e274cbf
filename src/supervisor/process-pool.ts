// Keeps the configured number of server processes running: starts them, and replaces those that die, with backoff.
import type { DatedCondition } from '../base/condition.ts';
import { Crashes } from './crashes.ts';
import type { Departure, ServerProcess } from './server-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface ProcessPoolOptions extends Omit<SupervisionTimes, 'rejoinMs'> {
  readonly count: number;
  /** @param number number of its slot, from 0: unique among the live processes */
  readonly spawn: (number: number) => ServerProcess;
  /** Makes it ready for work. Also resolves if it dies. */
  readonly bringUp: (server: ServerProcess) => Promise<void>;
  readonly onReady: (server: ServerProcess) => void;
  readonly onGone: (server: ServerProcess, departure: Departure) => void;
}

/** A slot of the pool, for one process at a time. */
interface Slot {
  readonly number: number;
  server: ServerProcess | null;
  failureStreak: number;
  nextTryAt: number | null;
  timer: NodeJS.Timeout | undefined;
}

export class ProcessPool {
  readonly #options: ProcessPoolOptions;
  readonly #crashes: Crashes;
  readonly #slots: Slot[];
  /** Every process that has not exited. */
  readonly #alive = new Set<ServerProcess>();
  readonly #watchers = new Set<(departure?: Departure) => void>();
  #stopped = false;

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
    this.#crashes = new Crashes(options.calmMs);
    this.#slots = Array.from({ length: options.count }, (_, number) => ({
      number,
      server: null,
      failureStreak: 0,
      nextTryAt: null,
      timer: undefined,
    }));
  }

  /** Fills every empty slot at once, even during its backoff. */
  start(): void {
    for (const slot of this.#slots) if (slot.server === null) this.#fill(slot);
  }

  /** Stops replacing processes; resolves when the last one has exited, or was killed because it did not. */
  async end(): Promise<void> {
    this.#stopped = true;
    for (const slot of this.#slots) clearTimeout(slot.timer);
    await Promise.all(
      this.alive.map(async (server) => {
        if (server.ready) await server.leave();
        else server.kill('Killed', 'was no longer needed', true);
        await server.gone;
      }),
    );
  }

  get alive(): readonly ServerProcess[] {
    return [...this.#alive];
  }

  /** Processes that can take work. */
  get ready(): readonly ServerProcess[] {
    return this.alive.filter(({ ready }) => ready);
  }

  get conditions(): readonly DatedCondition[] {
    // A process that stayed up for `steadyMs` ends the failure streak; the count itself is reset at its death.
    const streakOf = ({ server, failureStreak }: Slot) =>
      server?.ready && performance.now() - server.readyAt >= this.#options.steadyMs ? 0 : failureStreak;
    const worst = this.#slots.reduce((a, b) => (streakOf(b) > streakOf(a) ? b : a));
    return this.#crashes.conditions(streakOf(worst), worst.nextTryAt);
  }

  /**
   * Resolves with a process that can take work. If there is none, empty slots are filled at once.
   * @throws {Error} with a reason for the operator when the last process has died, or the signal's when it is aborted
   */
  async someReady(signal: AbortSignal): Promise<ServerProcess> {
    if (this.ready.length === 0) this.start();
    for (;;) {
      signal.throwIfAborted();
      if (this.#stopped) throw new Error('The node is shutting down');
      const [first] = this.ready;
      if (first) return first;
      const departure = await this.#nextEvent(signal);
      if (departure && !departure.expected && this.#alive.size === 0) {
        throw new Error(`No server process could be started: the last one ${departure.description}`);
      }
    }
  }

  #fill(slot: Slot): void {
    clearTimeout(slot.timer);
    if (this.#stopped) return;
    slot.nextTryAt = null;
    const server = this.#options.spawn(slot.number);
    slot.server = server;
    this.#alive.add(server);
    void server.gone.then((departure) => this.#lose(server, departure));
    void this.#options.bringUp(server).then(() => {
      if (!server.alive) return;
      server.ready = true;
      server.readyAt = performance.now();
      this.#options.onReady(server);
      this.#wake();
    });
  }

  #fillLater(slot: Slot): void {
    const { backoffMs, maxBackoffMs } = this.#options;
    slot.failureStreak += 1;
    const pause = Math.min(backoffMs * 2 ** (slot.failureStreak - 1), maxBackoffMs);
    slot.nextTryAt = Date.now() + pause;
    slot.timer = setTimeout(() => this.#fill(slot), pause);
  }

  #lose(server: ServerProcess, departure: Departure): void {
    this.#alive.delete(server);
    if (!departure.expected) this.#crashes.note(departure);
    const slot = this.#slots.find((one) => one.server === server);
    if (slot) {
      slot.server = null;
      if (performance.now() - server.readyAt >= this.#options.steadyMs) slot.failureStreak = 0;
      if (this.#stopped) clearTimeout(slot.timer);
      else if (departure.expected) this.#fill(slot);
      else this.#fillLater(slot);
    }
    this.#options.onGone(server, departure);
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
