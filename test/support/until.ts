// Waits for what tells of itself by no event; the test's own timeout is the limit.
import { setTimeout as sleep } from 'node:timers/promises';

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

/** As above for what needs only this process to go on. Resolves after so many turns of the event loop even if it does not hold. */
export async function withinTurns(most: number, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < most && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets this process go on for so many turns of its event loop. */
export const turns = (count: number): Promise<void> => withinTurns(count, () => false);
