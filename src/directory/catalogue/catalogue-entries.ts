// What a catalogue consists of, whatever its format.
import type { StatedObject, StatedWorker } from './catalogue-schema.ts';

export type CatalogueEntry =
  /** `line`: where it is, for the error if its id is taken; null: its id is known to be unique. */
  | { readonly object: StatedObject; readonly line: number | null }
  | { readonly worker: StatedWorker; readonly line: number | null }
  /** A line for the author of the catalogue. */
  | { readonly error: string };
