// What is wrong now, gathered from everyone who can tell, with the moment each condition was first seen.
import type { Settings } from '../../machines/settings.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';

/** Asked anew each time; returns what is wrong at that moment, given the settings in force. */
export type ConditionSource = (settings: Settings) => readonly (Condition | DatedCondition)[];

export class Conditions {
  readonly #sources: readonly ConditionSource[];
  readonly #firstSeen = new Map<string, string>();
  readonly #now: () => number;

  constructor(sources: readonly ConditionSource[], now: () => number = Date.now) {
    this.#sources = sources;
    this.#now = now;
  }

  /** A source that keeps its own time is believed; for the others `since` is when this was first called with them. */
  current(settings: Settings): DatedCondition[] {
    const conditions = this.#sources.flatMap((source) => source(settings));
    const standing = new Set<string>(conditions.map(({ type }) => type));
    for (const type of this.#firstSeen.keys()) if (!standing.has(type)) this.#firstSeen.delete(type);
    return conditions.map((condition) => ({ ...condition, since: this.#since(condition) }));
  }

  #since(condition: Condition | DatedCondition): string {
    if ('since' in condition) return condition.since;
    const since = this.#firstSeen.get(condition.type) ?? new Date(this.#now()).toISOString();
    this.#firstSeen.set(condition.type, since);
    return since;
  }
}
