// Waits of tests; one that gives up says what it waited for and where.
import { setTimeout as sleep } from 'node:timers/promises';

/** A safety net, not an assertion: shorter than the timeout of a test, so that the wait reports before mocha does. */
const patienceMs = 45_000;

export interface Patience {
  /** What was there instead, for the error. */
  readonly seen?: () => unknown;
  readonly limitMs?: number;
}

/** @throws {Error} that names `what` and the line of the caller, when the promise is still pending at the limit */
export async function inTime<T>(
  what: string,
  promise: Promise<T>,
  { seen, limitMs = patienceMs }: Patience = {},
): Promise<T> {
  // Made now: its stack leads to the caller.
  const error = new Error();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      error.message = `Gave up after ${limitMs} ms, waiting for ${what}${seen ? `; last seen: ${seen()}` : ''}`;
      error.stack = error.stack?.replace(/^Error/, () => `Error: ${error.message}`) ?? '';
      reject(error);
    }, limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Between polls of what this process knows, and between those that ask another one: they cost both of them time. */
const pauseMs = 5;
const longestPauseMs = 50;

/** Polls, for what sends no event. Polls that ask another process become rarer the longer it takes. */
export async function until(holds: () => boolean | Promise<boolean>, patience?: Patience): Promise<void> {
  let isOver = false;
  const poll = async () => {
    for (let pause = pauseMs; !isOver; ) {
      const answer = holds();
      if (await answer) return;
      if (answer instanceof Promise) pause = Math.min(1.5 * pause, longestPauseMs);
      await sleep(pause);
    }
  };
  try {
    await inTime(String(holds).replace(/\s+/g, ' '), poll(), patience);
  } finally {
    isOver = true;
  }
}

/** As above for what needs only this process to go on. Resolves after so many turns of the event loop even if it does not hold. */
export async function withinTurns(most: number, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < most && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets this process go on for so many turns of its event loop. */
export const turns = (count: number): Promise<void> => withinTurns(count, () => false);
