// Waiting for something, but not for ever: a disk that hangs must not take whoever waits for it with it.

/** Whether it ends within so many milliseconds; it goes on either way. Rejects as it does, if that comes in time. */
export async function settlesWithin(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
