// A clock for durations that is the same in every process of the node, and that setting the time of day does not move.

/** Milliseconds since some moment before the node started. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
