// What is wrong now, gathered from everyone who can tell, with the moment each trouble was first seen.
import type { Settings } from '../../machines/settings.ts';
import type { Condition, Trouble } from '../condition.ts';

/** Asked anew each time; returns what is wrong at that moment, given the settings in force. */
export type TroubleSource = (settings: Settings) => readonly (Trouble | Condition)[];

export class Conditions {
  readonly #sources: readonly TroubleSource[];
  readonly #firstSeen = new Map<string, string>();
  readonly #now: () => number;

  constructor(sources: readonly TroubleSource[], now: () => number = Date.now) {
    this.#sources = sources;
    this.#now = now;
  }

  /** A source that keeps its own time is believed; for the others `since` is when this was first called with them. */
  current(settings: Settings): Condition[] {
    const troubles = this.#sources.flatMap((source) => source(settings));
    const standing = new Set(troubles.map(({ type }) => type));
    for (const type of this.#firstSeen.keys()) if (!standing.has(type)) this.#firstSeen.delete(type);
    return troubles.map((trouble) => ({ ...trouble, since: this.#since(trouble) }));
  }

  #since(trouble: Trouble | Condition): string {
    if ('since' in trouble) return trouble.since;
    const since = this.#firstSeen.get(trouble.type) ?? new Date(this.#now()).toISOString();
    this.#firstSeen.set(trouble.type, since);
    return since;
  }
}
