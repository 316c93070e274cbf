// A condition: something that is wrong now, in the words of the state document.

export interface DatedCondition {
  /** One word for the kind of condition, e.g. `CatalogueInvalid`; at most one condition of a type exists at a time. */
  readonly type: string;
  /** One word for its cause. */
  readonly reason: string;
  /** For a person. */
  readonly message: string;
  /** ISO 8601: when the condition began. */
  readonly since: string;
}

/** A condition from a source that does not record when it began. */
export type Condition = Omit<DatedCondition, 'since'>;
