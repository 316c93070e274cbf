// When whoever follows something in a terminal has seen enough.

/** Aborted by Ctrl-C or SIGTERM, and when nobody reads any more, as with `watch | head`. */
export function enough(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  process.stdout.on('error', () => stop.abort());
  return stop.signal;
}
