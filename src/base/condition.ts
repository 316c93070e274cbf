// A condition: something that is wrong now, in the words of the state document.

export interface DatedCondition {
  /** One word for the kind of condition, e.g. `CatalogueInvalid`; at most one condition of a type stands at a time. */
  readonly type: string;
  /** One word for its cause. */
  readonly reason: string;
  /** For a person. */
  readonly message: string;
  /** ISO 8601: since when it stands. */
  readonly since: string;
}

/** The same from one who does not keep the time: when it was first seen is found elsewhere. */
export type Condition = Omit<DatedCondition, 'since'>;
