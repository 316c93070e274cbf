// Eviction policies for the trace bench: each says whether a request is a hit, and keeps within its room.
import { priorityOf } from '../../src/store/eviction.ts';

export interface Policy {
  readonly name: string;
  /** @returns whether the object was there; now it is, unless it is larger than all of the room */
  request(id: number, size: number): boolean;
}

/** Fills up, and asks for victims until there is room. */
abstract class Bounded<Entry extends { readonly size: number }> implements Policy {
  abstract readonly name: string;
  protected readonly entries = new Map<number, Entry>();
  readonly #room: number;
  #used = 0;

  constructor(room: number) {
    this.#room = room;
  }

  request(id: number, size: number): boolean {
    const entry = this.entries.get(id);
    if (entry !== undefined) {
      this.hit(id, entry);
      return true;
    }
    if (size > this.#room) return false;
    while (this.#used + size > this.#room) {
      const victim = this.victim();
      this.#used -= (this.entries.get(victim) as Entry).size;
      this.entries.delete(victim);
    }
    this.#used += size;
    this.entries.set(id, this.added(id, size));
    return false;
  }

  protected abstract hit(id: number, entry: Entry): void;
  protected abstract added(id: number, size: number): Entry;
  protected abstract victim(): number;
}

class Lru extends Bounded<{ readonly size: number }> {
  readonly name = 'LRU';

  protected hit(id: number, entry: { readonly size: number }): void {
    this.entries.delete(id);
    this.entries.set(id, entry);
  }

  protected added(_: number, size: number) {
    return { size };
  }

  protected victim(): number {
    return this.entries.keys().next().value as number;
  }
}

/** SIEVE: a hand passes over what was requested since it came by. */
class Sieve extends Bounded<{ readonly size: number; visited: boolean }> {
  readonly name = 'SIEVE';
  #hand = new Map<number, unknown>().entries();
  #ids = new Map<number, undefined>();

  protected hit(_: number, entry: { visited: boolean }): void {
    entry.visited = true;
  }

  protected added(id: number, size: number) {
    this.#ids.set(id, undefined);
    return { size, visited: false };
  }

  protected victim(): number {
    for (;;) {
      const next = this.#hand.next();
      if (next.done) {
        this.#hand = this.#ids.entries();
        continue;
      }
      const [id] = next.value;
      const entry = this.entries.get(id);
      if (entry?.visited) entry.visited = false;
      else {
        this.#ids.delete(id);
        return id;
      }
    }
  }
}

interface Used {
  readonly size: number;
  uses: number;
  lastUse: number;
}

/** The peer's: a group for each power of two of size by popularity, each an LRU; of their oldest, the highest age × size / popularity. */
class LruSp extends Bounded<Used> {
  readonly name = 'LRU-SP';
  readonly #groups = new Map<number, Map<number, undefined>>();
  #now = 0;

  protected hit(id: number, entry: Used): void {
    this.#group(entry).delete(id);
    entry.uses += 1;
    this.#enter(id, entry);
  }

  protected added(id: number, size: number): Used {
    const entry = { size, uses: 1, lastUse: 0 };
    this.#enter(id, entry);
    return entry;
  }

  protected victim(): number {
    let worst = { id: -1, cost: -1 };
    for (const group of this.#groups.values()) {
      const [id] = group.keys();
      if (id === undefined) continue;
      const { size, uses, lastUse } = this.entries.get(id) as Used;
      const cost = ((this.#now - lastUse) * size) / uses;
      if (cost > worst.cost) worst = { id, cost };
    }
    this.#group(this.entries.get(worst.id) as Used).delete(worst.id);
    return worst.id;
  }

  #enter(id: number, entry: Used): void {
    this.#now += 1;
    entry.lastUse = this.#now;
    this.#group(entry).set(id, undefined);
  }

  #group({ size, uses }: Used): Map<number, undefined> {
    const key = Math.floor(Math.log2(Math.max(1, size / 1024) / uses));
    const group = this.#groups.get(key) ?? new Map();
    this.#groups.set(key, group);
    return group;
  }
}

interface Ranked {
  readonly size: number;
  uses: number;
  priority: number;
}

/** Ours, with the exponent of the size as a parameter. */
class Gdsf extends Bounded<Ranked> {
  readonly name: string;
  readonly #exponent: number;
  readonly #heap = new Heap();
  #clock = 0;

  constructor(room: number, exponent: number) {
    super(room);
    this.#exponent = exponent;
    this.name = `GDSF, size^${exponent}`;
  }

  protected hit(id: number, entry: Ranked): void {
    entry.uses += 1;
    this.#rank(id, entry);
  }

  protected added(id: number, size: number): Ranked {
    const entry = { size, uses: 1, priority: 0 };
    this.#rank(id, entry);
    return entry;
  }

  protected victim(): number {
    for (;;) {
      const { id, priority } = this.#heap.take();
      if (this.entries.get(id)?.priority !== priority) continue;
      this.#clock = priority;
      return id;
    }
  }

  #rank(id: number, entry: Ranked): void {
    entry.priority = priorityOf(this.#clock, entry.uses, entry.size, this.#exponent);
    this.#heap.add({ id, priority: entry.priority });
  }
}

interface Place {
  readonly id: number;
  readonly priority: number;
}

class Heap {
  readonly #places: Place[] = [];

  add(place: Place): void {
    const places = this.#places;
    let at = places.push(place) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((places[parent] as Place).priority <= place.priority) break;
      places[at] = places[parent] as Place;
      at = parent;
    }
    places[at] = place;
  }

  take(): Place {
    const places = this.#places;
    const first = places[0] as Place;
    const last = places.pop() as Place;
    if (places.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= places.length) break;
      const right = places[child + 1];
      if (right !== undefined && right.priority < (places[child] as Place).priority) child += 1;
      if ((places[child] as Place).priority >= last.priority) break;
      places[at] = places[child] as Place;
      at = child;
    }
    places[at] = last;
    return first;
  }
}

/** @param room bytes */
export const policies = (room: number): Policy[] => [
  new Lru(room),
  new Sieve(room),
  new LruSp(room),
  ...[1, 0.75, 0.5, 0.25, 0].map((exponent) => new Gdsf(room, exponent)),
];
