// The signals that end a node: the first starts a shutdown, the second exits at once.
import { constants } from 'node:os';
import { isatty } from 'node:tty';

export interface EndSignals {
  readonly first: (signal: NodeJS.Signals) => void;
  /** Last cleanup; the process exits right after it, with 128 + the signal's number. Never rejects. */
  readonly second: () => Promise<void>;
  /** A SIGHUP that does not end the node: the node has nothing to reload. */
  readonly idle: (signal: NodeJS.Signals) => void;
}

const names = ['SIGTERM', 'SIGINT'] as const;

/** npm forwards to its script a signal that the terminal has sent to both. Under npm, the same signal within this time is that echo. */
const echoMs = 500;

/**
 * From now on these signals no longer end the process by default.
 * @param env npm_lifecycle_event: npm started this process
 * @returns call it once there is a node to end; a signal that arrived earlier is delivered then
 */
export function catchEndSignals(env: NodeJS.ProcessEnv): (handlers: EndSignals) => void {
  const isUnderNpm = env.npm_lifecycle_event !== undefined;
  let current: EndSignals | null = null;
  let first: { readonly name: NodeJS.Signals; readonly at: number } | null = null;
  const end = (name: NodeJS.Signals) => {
    first = { name, at: performance.now() };
    current?.first(name);
  };
  for (const name of names) {
    process.on(name, async () => {
      if (first === null) end(name);
      else if (!isUnderNpm || name !== first.name || performance.now() - first.at > echoMs) {
        await current?.second();
        process.exit(128 + constants.signals[name]);
      }
    });
  }
  // SIGHUP to a service is ignored; SIGHUP because the terminal was closed ends the node. It can arrive several times, also
  // from the shell, so it never counts as the second signal.
  const terminals = [1, 2].filter(isatty);
  process.on('SIGHUP', () => {
    const isHungUp = terminals.some((descriptor) => !isatty(descriptor));
    if (isHungUp && first === null) end('SIGHUP');
    else current?.idle('SIGHUP');
  });
  return (handlers) => {
    current = handlers;
    if (first !== null) handlers.first(first.name);
  };
}
