// The signal that ends a command which follows something in a terminal.

/** Aborted by Ctrl-C or SIGTERM, and when the reader of stdout has gone, as with `watch | head`. */
export function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  process.stdout.on('error', () => stop.abort());
  return stop.signal;
}
