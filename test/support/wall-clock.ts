// The time of day of this process, set by a test: what measures durations must not notice.

/** Shows this time, and no other, during `work`. */
export async function withClockAt<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => ms;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** Every look at it during `work` shows so much more than the look before, or less where it is negative. */
export async function withJumpingClock(jumpMs: number, work: () => Promise<void>): Promise<void> {
  const { now } = Date;
  let jumped = 0;
  Date.now = () => {
    jumped += jumpMs;
    return now() + jumped;
  };
  try {
    await work();
  } finally {
    Date.now = now;
  }
}
