// The conditions of the squid directory, from the failures of syncs, look-ups and index writes.
import { type Condition, condition, type ReasonOf } from '../../base/condition.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import type { SquidFailure } from './squid-request.ts';

/** Each has its own failure: a sync may succeed while look-ups time out. */
export type SquidUser = 'sync' | 'lookUp';

export class SquidConditions {
  readonly #changed: () => void;
  readonly #failures = new Map<SquidUser, SquidFailure>();
  #behind: Condition | null = null;
  #notWritten: Condition | null = null;

  /** @param changed called when the list has changed */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get list(): readonly Condition[] {
    const failure = this.#failures.get('sync') ?? this.#failures.get('lookUp');
    const unreachable = failure ? condition('SquidUnreachable', failure.reason, failure.message) : null;
    return [unreachable, this.#behind, this.#notWritten].filter((one) => one !== null);
  }

  failed(user: SquidUser, failure: SquidFailure): void {
    this.#update(() => this.#failures.set(user, failure));
  }

  /** A sync proves that everything works; a look-up proves only look-ups. */
  answered(user: SquidUser): void {
    this.#update(() => (user === 'sync' ? this.#failures.clear() : this.#failures.delete(user)));
  }

  /** @param reason null: the squid is not behind */
  setBehind(reason: ReasonOf<'SquidBehind'> | null, message = ''): void {
    this.#update(() => {
      this.#behind = reason === null ? null : condition('SquidBehind', reason, message);
    });
  }

  /** @param error of a transaction; null: one has succeeded */
  setNotWritten(error: unknown): void {
    this.#update(() => {
      this.#notWritten = error === null ? null : notWritten(error);
    });
  }

  #update(change: () => void): void {
    const before = JSON.stringify(this.list);
    change();
    if (JSON.stringify(this.list) !== before) this.#changed();
  }
}

function notWritten(error: unknown): Condition {
  const message = `The index cannot be written: ${messageOf(error)}`;
  const code = codeOf(error);
  const isDiskFull = code === 'ENOSPC' || code === 'EDQUOT';
  const reason = isIndexFull(error) ? 'IndexFull' : isDiskFull ? 'DiskFull' : 'WriteFailed';
  return condition('IndexNotWritten', reason, message);
}

/** By name: the class is in a folder that may not be imported here. */
const isIndexFull = (error: unknown): boolean => error instanceof Error && error.constructor.name === 'IndexFull';
