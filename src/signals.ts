// The signals that end a node: the first is an order like any other, the second is obeyed at once.
import { constants } from 'node:os';

export interface EndSignals {
  readonly first: (signal: NodeJS.Signals) => void;
  /** Whatever must still be done at once; the process ends right after it, with 128 + the signal's number. */
  readonly second: () => void;
}

const names = ['SIGTERM', 'SIGINT'] as const;

/** From here on these signals do not end the process by themselves. */
export function onEndSignals({ first, second }: EndSignals): void {
  let isEnding = false;
  for (const name of names) {
    process.on(name, () => {
      if (isEnding) {
        second();
        process.exit(128 + constants.signals[name]);
      }
      isEnding = true;
      first(name);
    });
  }
}
