// Divides work on bags into portions, of which each is one transaction.

/** Objects that one transaction writes or removes: some tens of milliseconds, in which the process answers nothing. */
const objectsPerStep = 2000;

/** Of at most so many members, and of no more objects than one transaction takes, unless one member alone has more. */
export function* portions<T>(
  list: readonly T[],
  size: number,
  objects: (member: T) => number,
): Generator<readonly T[]> {
  let portion: T[] = [];
  let taken = 0;
  for (const member of list) {
    const count = objects(member);
    if (portion.length === size || (portion.length > 0 && taken + count > objectsPerStep)) {
      yield portion;
      [portion, taken] = [[], 0];
    }
    portion.push(member);
    taken += count;
  }
  if (portion.length > 0) yield portion;
}
