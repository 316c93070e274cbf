// The signals that end a node: the first is an order like any other, the second is obeyed at once.
import { constants } from 'node:os';
import { isatty } from 'node:tty';

export interface EndSignals {
  readonly first: (signal: NodeJS.Signals) => void;
  /** Whatever must still be done at once; the process ends right after it, with 128 + the signal's number. Never rejects. */
  readonly second: () => Promise<void>;
  /** A SIGHUP that asks for nothing that is not done anyway. */
  readonly idle: (signal: NodeJS.Signals) => void;
}

const names = ['SIGTERM', 'SIGINT'] as const;

/** npm hands on to its script what the terminal has sent to both: under npm, the same signal within this time is the same order. */
const echoMs = 500;

/**
 * From here on these signals do not end the process by themselves.
 * @param env whose npm_lifecycle_event says that npm started this process
 * @returns to be called once there is something to end; a signal that came before is told then
 */
export function catchEndSignals(env: NodeJS.ProcessEnv): (obey: EndSignals) => void {
  const isUnderNpm = env.npm_lifecycle_event !== undefined;
  let obeying: EndSignals | null = null;
  let first: { readonly name: NodeJS.Signals; readonly at: number } | null = null;
  const end = (name: NodeJS.Signals) => {
    first = { name, at: performance.now() };
    obeying?.first(name);
  };
  for (const name of names) {
    process.on(name, async () => {
      if (first === null) end(name);
      else if (!isUnderNpm || name !== first.name || performance.now() - first.at > echoMs) {
        await obeying?.second();
        process.exit(128 + constants.signals[name]);
      }
    });
  }
  // A service that is sent SIGHUP is to go on; a node whose terminal was closed is to end. The terminal sends it several
  // times, through the shell as well, so it is never the second signal.
  const terminals = [1, 2].filter(isatty);
  process.on('SIGHUP', () => {
    const isHungUp = terminals.some((descriptor) => !isatty(descriptor));
    if (isHungUp && first === null) end('SIGHUP');
    else obeying?.idle('SIGHUP');
  });
  return (obey) => {
    obeying = obey;
    if (first !== null) obey.first(first.name);
  };
}
