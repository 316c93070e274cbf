// What a catalogue stores about itself in the index.
import type { ObjectIndex } from '../../store/object-index.ts';
import type { CatalogueFacts } from './catalogue-file.ts';

/** The version of the catalogue that the index contains. */
export interface ReadMark {
  readonly root: string;
  readonly facts: CatalogueFacts;
  /** SHA-256, hex. */
  readonly contentHash: string;
  /** When it was read, ISO 8601. */
  readonly readAt: string;
}

export const readMark = 'catalogue';

export const readMarkOf = (index: Pick<ObjectIndex, 'mark'>): ReadMark | undefined =>
  index.mark(readMark) as ReadMark | undefined;

/** True: all files are hashed. */
export const hashedMark = 'hashed';
