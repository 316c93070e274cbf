// What viewers may be answered while a directory and the settings change, and the answers in a form that can be compared.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../machines/settings.ts';
import type { ObjectIndex } from '../../src/store/object-index.ts';
import type { Home, HomeOptions } from '../support/harness.ts';
import type { Dice } from './dice.ts';

/** One answer: the word of a refusal, or `hit` and the sum of the body. */
export interface Seen {
  readonly words: string;
  readonly etag: string | undefined;
}

export const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

export const hitOf = (bytes: Buffer): string => `hit ${sumOf(bytes)}`;

/** The oldest state that a request may still be answered by: it was in effect when the request began. */
export interface Moment {
  readonly version: number;
  readonly settings: number;
  /** Of the object's file, where a file is replaced in place. */
  readonly revision: number;
  /** The index had the object when it last equalled the directory. */
  readonly isIndexed: boolean;
}

/** `all`: every bag, where there are bags. */
export type Change = 'some' | 'all' | 'nothing';

/** The settings in the order of the commands; those up to `low` have been replaced for certain. */
export class SettingsRange {
  readonly #all: Settings[];
  low = 0;

  constructor(first: Settings) {
    this.#all = [first];
  }

  /** @returns the number to acknowledge it with */
  sending(change: Partial<Settings>): number {
    return this.#all.push({ ...this.#latest, ...change }) - 1;
  }

  acknowledged(number: number): void {
    this.low = Math.max(this.low, number);
  }

  from(low: number): readonly Settings[] {
    return this.#all.slice(low);
  }

  get #latest(): Settings {
    return this.#all.at(-1) as Settings;
  }

  /** After a restart. @returns whether they are the last that were acknowledged, or what was asked for after them */
  settle(actual: Settings): boolean {
    const at = this.#all.findLastIndex((one) => isDeepStrictEqual(one, actual));
    if (at < this.low) return false;
    this.low = this.sending(actual);
    return true;
  }

  /** When no command is under way. */
  get current(): Settings {
    return this.#latest;
  }
}

export const bucketIds = ['1:0', '1:1', '1:2', '2:0'] as const;

/** One to three of them, sorted. */
export const someBuckets = (dice: Dice): string[] => {
  const chosen = bucketIds.filter(() => dice.chance(0.5)).slice(0, 3);
  return chosen.length === 0 ? [dice.pick(bucketIds)] : chosen;
};

/** A directory that the proof changes, and what it knows about it. */
export interface ChangingDirectory {
  readonly name: string;
  readonly settings: SettingsRange;
  /** Of objects that exist, existed, or never did. */
  readonly ids: readonly string[];
  home(): Promise<HomeOptions>;
  /** The first version, before the first start. */
  prepare(home: Home): Promise<void>;
  /** Resolves when the next version is there for the node to find. */
  change(what: Change): Promise<void>;
  /** Resolves at any moment of the node's work on a change. */
  someInstant(): Promise<void>;
  moment(id: string): Moment;
  /** @param isOutage whether the content process was missing during the request @returns what was possible, if not this */
  judge(id: string, from: Moment, seen: Seen, isOutage: boolean): string | null;
  /** How the index differs from the latest version for the current settings; null: not at all. */
  mismatch(index: ObjectIndex): string | null;
  /** The index equals the latest version: no older one may be seen again. */
  settled(index: ObjectIndex): Promise<void>;
  /** What was read again without need; null: nothing. @param kills of this round */
  needless(index: ObjectIndex, kills: number): string | null;
  remove(): Promise<void>;
}
