// The copies that one server process follows as they arrive: viewers of one object share one question.
import type { Arrival, Bringing, Brought, Following } from './arrival.ts';
import { maxFollowed } from './look-up-lines.ts';

const undecided: Brought = { result: 'undecided' };

type Viewer = { readonly onArrival: (arrival: Arrival) => void };

/** One question, and the viewers that share its answers. */
interface Shared {
  readonly seq: number;
  readonly id: string;
  /** Key in the map of questions without a first answer. */
  readonly key: string;
  readonly viewers: Set<Viewer>;
  readonly brought: Promise<Brought>;
  readonly resolve: (brought: Brought) => void;
  readonly timer: NodeJS.Timeout;
  /** The latest news; null: not answered yet. */
  arrival: Arrival | null;
}

export interface FollowingsChannel {
  /** @returns the number of the question; null: it cannot be asked now */
  ask(objectId: string, from: number): number | null;
  stop(seq: number): void;
}

export class Followings {
  readonly #channel: FollowingsChannel;
  readonly #timeoutMs: number;
  readonly #bySeq = new Map<number, Shared>();
  /** By object and first byte: questions that wait for their first answer. */
  readonly #waiting = new Map<string, Shared>();
  /** By object: questions whose copies are arriving. */
  readonly #arriving = new Map<string, Shared>();

  /** @param timeoutMs after this time, a question without a first answer is `undecided` */
  constructor(channel: FollowingsChannel, timeoutMs: number) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
  }

  bring(id: string, { from, onArrival }: Parameters<Bringing['bring']>[1]): Following {
    const shared = this.#sharedWith(id, from) ?? this.#begin(id, from);
    if (shared === null) return { brought: Promise.resolve(undecided), stop: () => {} };
    const viewer = { onArrival };
    shared.viewers.add(viewer);
    const { arrival } = shared;
    return {
      brought: arrival ? Promise.resolve({ result: 'arriving', arrival }) : shared.brought,
      stop: () => this.#leave(shared, viewer),
    };
  }

  /** The first answer. */
  begin(seq: number, brought: Brought): void {
    const shared = this.#bySeq.get(seq);
    if (shared === undefined || shared.arrival !== null) return;
    clearTimeout(shared.timer);
    this.#waiting.delete(shared.key);
    const isArriving = brought.result === 'arriving' && brought.arrival.state === 'arriving';
    const other = this.#arriving.get(shared.id);
    if (!isArriving) this.#bySeq.delete(seq);
    else if (other) {
      // Another question already gets the news of this copy.
      this.#bySeq.delete(seq);
      this.#channel.stop(seq);
      for (const viewer of shared.viewers) other.viewers.add(viewer);
      shared.viewers.clear();
    } else {
      shared.arrival = brought.arrival;
      this.#arriving.set(shared.id, shared);
    }
    shared.resolve(brought);
  }

  update(seq: number, { received, state }: Pick<Arrival, 'received' | 'state'>): void {
    const shared = this.#bySeq.get(seq);
    if (shared?.arrival) this.#notify(shared, { ...shared.arrival, received, state });
  }

  /** The connection has ended. */
  lose(): void {
    for (const shared of [...this.#bySeq.values()]) {
      if (shared.arrival) this.#notify(shared, { ...shared.arrival, state: 'failed' });
      else this.begin(shared.seq, undecided);
    }
  }

  #sharedWith(id: string, from: number): Shared | undefined {
    const arriving = this.#arriving.get(id);
    if (arriving?.arrival && from <= arriving.arrival.received) return arriving;
    return this.#waiting.get(keyOf(id, from));
  }

  #begin(id: string, from: number): Shared | null {
    const seq = this.#bySeq.size < maxFollowed ? this.#channel.ask(id, from) : null;
    if (seq === null) return null;
    let resolve = (_: Brought) => {};
    const brought = new Promise<Brought>((settle) => {
      resolve = settle;
    });
    const timer = setTimeout(() => {
      this.#channel.stop(seq);
      this.begin(seq, undecided);
    }, this.#timeoutMs);
    const shared: Shared = {
      seq,
      id,
      key: keyOf(id, from),
      viewers: new Set(),
      brought,
      resolve,
      timer,
      arrival: null,
    };
    this.#bySeq.set(seq, shared);
    this.#waiting.set(shared.key, shared);
    return shared;
  }

  #notify(shared: Shared, arrival: Arrival): void {
    shared.arrival = arrival;
    if (arrival.state !== 'arriving') this.#forget(shared);
    for (const { onArrival } of [...shared.viewers]) onArrival(arrival);
  }

  #leave(shared: Shared, viewer: Viewer): void {
    shared.viewers.delete(viewer);
    // The viewer may have moved to another question for the same copy.
    const other = this.#arriving.get(shared.id);
    if (other?.viewers.delete(viewer)) this.#endIfUnwanted(other);
    this.#endIfUnwanted(shared);
  }

  #endIfUnwanted(shared: Shared): void {
    if (shared.viewers.size > 0 || this.#bySeq.get(shared.seq) !== shared) return;
    this.#channel.stop(shared.seq);
    this.#forget(shared);
    shared.resolve(undecided);
  }

  #forget(shared: Shared): void {
    clearTimeout(shared.timer);
    this.#bySeq.delete(shared.seq);
    this.#waiting.delete(shared.key);
    if (this.#arriving.get(shared.id) === shared) this.#arriving.delete(shared.id);
  }
}

const keyOf = (id: string, from: number): string => `${id} ${from}`;
