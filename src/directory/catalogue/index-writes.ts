// Attempts writes to the index; a failure is a condition until a write of the same kind succeeds.
import { type Condition, condition, type ReasonOf } from '../../base/condition.ts';
import { codeOf, messageOf } from '../../base/errors.ts';

/** `version`: a new version of the directory. `files`: types, hashes and problems of its files. */
export type WriteKind = 'version' | 'files';

/** The index could not be written. The condition says why. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

export class IndexWrites {
  readonly #failures = new Map<WriteKind, Condition>();
  readonly #onChange: () => void;

  /** @param onChange the condition has changed */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** @throws {NotWritten} */
  attempt<T>(kind: WriteKind, write: () => T): T {
    try {
      return write();
    } catch (error) {
      const failure = condition('IndexNotWritten', reasonOf(error), messageOf(error));
      const before = this.#failures.get(kind)?.message;
      this.#failures.set(kind, failure);
      if (before !== failure.message) this.#onChange();
      throw new NotWritten(failure.message, { cause: error });
    }
  }

  /** All pending writes of this kind have succeeded. */
  succeeded(kind: WriteKind): void {
    if (this.#failures.delete(kind)) this.#onChange();
  }

  get condition(): Condition | null {
    return this.#failures.get('version') ?? this.#failures.get('files') ?? null;
  }
}

function reasonOf(error: unknown): ReasonOf<'IndexNotWritten'> {
  if (error instanceof Error && error.name === 'IndexFull') return 'IndexFull';
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'DiskFull' : 'WriteFailed';
}
