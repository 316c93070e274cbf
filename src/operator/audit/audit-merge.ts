// Merges several audit logs by time, including lines still to come.

/** `null`: no more lines for now. */
export type Lines<T> = AsyncGenerator<T | null>;

/**
 * Each log keeps its own order.
 * @param timeOf ISO 8601, which sorts by time; a line with '' comes first
 */
export async function* inOrder<T>(logs: readonly Lines<T>[], timeOf: (line: T) => string): AsyncGenerator<T> {
  const open = new Set(logs);
  const heads = new Map<Lines<T>, T | null>();
  try {
    while (open.size > 0) {
      // Concurrently, so that logs waiting for new lines do not add up their waits.
      await Promise.all(
        [...open].map(async (log) => {
          if (heads.has(log)) return;
          const { done, value } = await log.next();
          if (done) open.delete(log);
          else heads.set(log, value);
        }),
      );
      const [first] = [...heads]
        .flatMap(([log, line]) => (line === null ? [] : [{ log, line }]))
        .sort((a, b) => (timeOf(a.line) < timeOf(b.line) ? -1 : timeOf(a.line) > timeOf(b.line) ? 1 : 0));
      if (first === undefined) heads.clear();
      else {
        heads.delete(first.log);
        yield first.line;
      }
    }
  } finally {
    await Promise.all(logs.map((log) => log.return(undefined)));
  }
}
