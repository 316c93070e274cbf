// The conditions of a catalogue and of the files of its objects.
import { type Condition, condition, type ReasonOf } from '../../base/condition.ts';
import type { FileProblem, ObjectIndex } from '../../store/object-index.ts';

/** How many files a condition lists. */
const maxNamed = 5;
/** How many lines of a catalogue's errors a condition lists. */
const maxLines = 5;
/** How many problems of the index are read to find files of both kinds. */
const maxRead = 1000;

/** @param errors lines, at least one */
export function catalogueCondition(reason: ReasonOf<'CatalogueInvalid'>, errors: readonly string[]): Condition {
  const more = errors.length > maxLines ? [`… and ${errors.length - maxLines} more lines`] : [];
  return condition('CatalogueInvalid', reason, [...errors.slice(0, maxLines), ...more].join('\n'));
}

/** @returns the conditions `MissingFiles` and `DamagedObjects`, as far as the index has such files */
export function fileConditions(index: ObjectIndex): readonly Condition[] {
  const { missing, damaged } = index.summary.totals;
  if (missing + damaged === 0) return [];
  const named = { missing: [] as string[], damaged: [] as string[] };
  let read = 0;
  for (const [id, { kind, message }] of index.problems()) {
    if (named[kind].length < maxNamed) {
      named[kind].push(`${id} (${index.object(id)?.file?.name ?? ''}): ${message}`);
    }
    read += 1;
    if (read === maxRead || isEnough(named, { missing, damaged })) break;
  }
  return [
    missing > 0 ? condition('MissingFiles', 'NoFile', summary(missing, named.missing)) : [],
    damaged > 0 ? condition('DamagedObjects', 'NotAsStated', summary(damaged, named.damaged)) : [],
  ].flat();
}

type ByKind<T> = Readonly<Record<FileProblem['kind'], T>>;

const isEnough = (named: ByKind<readonly string[]>, counts: ByKind<number>): boolean =>
  (['missing', 'damaged'] as const).every((kind) => named[kind].length >= Math.min(maxNamed, counts[kind]));

function summary(count: number, named: readonly string[]): string {
  const many = count === 1 ? '1 object is' : `${count} objects are`;
  const more = count > named.length ? [`and ${count - named.length} more`] : [];
  return `${many} not served: ${[...named, ...more].join('; ')}`;
}
