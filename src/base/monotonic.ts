// A monotonic clock for durations, the same in every process of the node.

/** Milliseconds since an arbitrary point before the node started. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
