// Collects the current conditions from their sources, and records when each was first seen.
import type { Settings } from '../../machines/settings.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';

/** Called for each reading; returns the conditions at that moment under the effective settings. */
export type ConditionSource = (settings: Settings) => readonly (Condition | DatedCondition)[];

export class Conditions {
  readonly #sources: readonly ConditionSource[];
  readonly #firstSeen = new Map<string, string>();
  readonly #now: () => number;

  constructor(sources: readonly ConditionSource[], now: () => number = Date.now) {
    this.#sources = sources;
    this.#now = now;
  }

  /** `since` is the source's own, if it has one; otherwise the time of the first call that saw the condition. */
  current(settings: Settings): DatedCondition[] {
    const conditions = this.#sources.flatMap((source) => source(settings));
    const current = new Set<string>(conditions.map(({ type }) => type));
    for (const type of this.#firstSeen.keys()) if (!current.has(type)) this.#firstSeen.delete(type);
    return conditions.map((condition) => ({ ...condition, since: this.#since(condition) }));
  }

  #since(condition: Condition | DatedCondition): string {
    if ('since' in condition) return condition.since;
    const since = this.#firstSeen.get(condition.type) ?? new Date(this.#now()).toISOString();
    this.#firstSeen.set(condition.type, since);
    return since;
  }
}
