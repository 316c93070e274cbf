// The drains under way: which workers still have connections of each, and when each has ended.
import type { Drain } from '../../machines/node.ts';
import type { DrainStatus } from './public-side.ts';
import type { WorkerProcess } from './server-process.ts';

interface Entry extends Drain {
  /** Workers that have not told of its end. */
  readonly parts: Set<WorkerProcess>;
  /** Older drains that nothing else waits for: it has ended only when they have. */
  readonly takenOver: Set<number>;
  cut: number;
  /** Whoever closed the port knows its number by now. */
  announced: boolean;
}

export class Drains {
  readonly #entries = new Map<number, Entry>();
  readonly #ended: (id: number, cut: number) => void;
  #last = 0;

  /** @param ended told once for each drain, after its number has been announced */
  constructor(ended: (id: number, cut: number) => void) {
    this.#ended = ended;
  }

  nextId(): number {
    this.#last += 1;
    return this.#last;
  }

  begin(id: number, deadline: number, workers: readonly WorkerProcess[]): Drain {
    this.#entries.set(id, { id, deadline, parts: new Set(workers), takenOver: new Set(), cut: 0, announced: false });
    return { id, deadline };
  }

  /** Of these, the last that is under way; null: none is. */
  latest(ids: ReadonlySet<number>): Drain | null {
    const entry = [...this.#entries.values()].findLast(({ id }) => ids.has(id));
    return entry ? { id: entry.id, deadline: entry.deadline } : null;
  }

  /** From now on the end, and the cut, of the one includes those of the others. */
  takeOver(id: number, others: ReadonlySet<number>): void {
    const entry = this.#entries.get(id);
    for (const other of others) if (other !== id && this.#entries.has(other)) entry?.takenOver.add(other);
  }

  /** Nothing was under way: nobody waits for its end. */
  forget(id: number): void {
    this.#entries.delete(id);
  }

  /** The number has been handed out; its end may be told. */
  announce(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.announced = true;
    this.#tellIfEnded(entry);
  }

  partEnded(id: number, worker: WorkerProcess, cut: number): void {
    const entry = this.#entries.get(id);
    if (!entry?.parts.delete(worker)) return;
    entry.cut += cut;
    this.#tellIfEnded(entry);
  }

  /** Its connections went with it: as many as it had when last heard. */
  workerGone(worker: WorkerProcess): void {
    for (const { id } of [...this.#entries.values()]) this.partEnded(id, worker, progressOf(worker, id).connections);
  }

  has(worker: WorkerProcess): boolean {
    return [...this.#entries.values()].some(({ parts }) => parts.has(worker));
  }

  /** Close every connection of a drain; one worker after the other tells when that has happened. */
  cut(id: number): void {
    const { parts, takenOver } = this.#entries.get(id) ?? {};
    for (const worker of parts ?? []) void worker.order({ type: 'cut', drain: id });
    for (const other of takenOver ?? []) this.cut(other);
  }

  /** As last heard. */
  connectionsOf(id: number): number {
    let sum = 0;
    for (const worker of this.#entries.get(id)?.parts ?? []) sum += progressOf(worker, id).connections;
    return sum;
  }

  /** Summed over the drains under way; null: none. */
  get status(): DrainStatus | null {
    if (this.#entries.size === 0) return null;
    let connections = 0;
    let bytesLeft = 0;
    for (const { id, parts } of this.#entries.values()) {
      for (const worker of parts) {
        const progress = progressOf(worker, id);
        connections += progress.connections;
        bytesLeft += progress.bytesLeft;
      }
    }
    return { connections, bytesLeft };
  }

  #tellIfEnded(entry: Entry): void {
    if (!entry.announced || entry.parts.size > 0 || entry.takenOver.size > 0) return;
    this.#entries.delete(entry.id);
    this.#ended(entry.id, entry.cut);
    for (const other of [...this.#entries.values()]) {
      if (other.takenOver.delete(entry.id)) this.#tellIfEnded(other);
    }
  }
}

const progressOf = (worker: WorkerProcess, id: number): DrainStatus =>
  worker.activity.drains.find(({ drain }) => drain === id) ?? { connections: 0, bytesLeft: 0 };
