// The drains in progress: which server processes still have connections of each, and when each ends.
import type { Drain } from '../../machines/node.ts';
import type { DrainStatus } from './public-side.ts';
import type { ServerProcess } from './server-process.ts';

interface Entry extends Drain {
  /** Server processes that have not reported its end. */
  readonly parts: Set<ServerProcess>;
  /** Older drains that it has adopted: it ends only when they have. */
  readonly takenOver: Set<number>;
  cut: number;
  /** The caller of `close` has its number, so its end may be reported. */
  announced: boolean;
}

export class Drains {
  readonly #entries = new Map<number, Entry>();
  readonly #ended: (id: number, cut: number) => void;
  #last = 0;

  /** @param ended called once for each drain, after its number has been announced */
  constructor(ended: (id: number, cut: number) => void) {
    this.#ended = ended;
  }

  nextId(): number {
    this.#last += 1;
    return this.#last;
  }

  begin(id: number, deadline: number, servers: readonly ServerProcess[]): Drain {
    this.#entries.set(id, { id, deadline, parts: new Set(servers), takenOver: new Set(), cut: 0, announced: false });
    return { id, deadline };
  }

  /** The latest of these that is in progress; null: none. */
  latest(ids: ReadonlySet<number>): Drain | null {
    const entry = [...this.#entries.values()].findLast(({ id }) => ids.has(id));
    return entry ? { id: entry.id, deadline: entry.deadline } : null;
  }

  /** Adopts other drains: this one ends when they have ended, and cutting it cuts them. */
  takeOver(id: number, others: ReadonlySet<number>): void {
    const entry = this.#entries.get(id);
    for (const other of others) if (other !== id && this.#entries.has(other)) entry?.takenOver.add(other);
  }

  /** Removes a drain without connections, without reporting its end. */
  remove(id: number): void {
    this.#entries.delete(id);
  }

  /** The caller has the drain's number: from now on its end may be reported. */
  announce(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.announced = true;
    this.#reportIfEnded(entry);
  }

  partEnded(id: number, server: ServerProcess, cut: number): void {
    const entry = this.#entries.get(id);
    if (!entry?.parts.delete(server)) return;
    entry.cut += cut;
    this.#reportIfEnded(entry);
  }

  /** Its connections have closed with it: as many as it last reported. */
  serverGone(server: ServerProcess): void {
    for (const { id } of [...this.#entries.values()]) this.partEnded(id, server, progressOf(server, id).connections);
  }

  has(server: ServerProcess): boolean {
    return [...this.#entries.values()].some(({ parts }) => parts.has(server));
  }

  /** Orders every server process to close the drain's connections; each reports when it has. */
  cut(id: number): void {
    const { parts, takenOver } = this.#entries.get(id) ?? {};
    for (const server of parts ?? []) void server.order({ type: 'cut', drain: id });
    for (const other of takenOver ?? []) this.cut(other);
  }

  /** As last reported. */
  connectionsOf(id: number): number {
    let sum = 0;
    for (const server of this.#entries.get(id)?.parts ?? []) sum += progressOf(server, id).connections;
    return sum;
  }

  /** Sum over the drains in progress; null: none. */
  get status(): DrainStatus | null {
    if (this.#entries.size === 0) return null;
    let connections = 0;
    let bytesLeft = 0;
    for (const { id, parts } of this.#entries.values()) {
      for (const server of parts) {
        const progress = progressOf(server, id);
        connections += progress.connections;
        bytesLeft += progress.bytesLeft;
      }
    }
    return { connections, bytesLeft };
  }

  #reportIfEnded(entry: Entry): void {
    if (!entry.announced || entry.parts.size > 0 || entry.takenOver.size > 0) return;
    this.#entries.delete(entry.id);
    this.#ended(entry.id, entry.cut);
    for (const other of [...this.#entries.values()]) {
      if (other.takenOver.delete(entry.id)) this.#reportIfEnded(other);
    }
  }
}

const progressOf = (server: ServerProcess, id: number): DrainStatus =>
  server.activity.drains.find(({ drain }) => drain === id) ?? { connections: 0, bytesLeft: 0 };
