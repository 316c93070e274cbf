// How late this process' event loop is: looked at ten times a second, the way a request would find it.
import { Histogram, type HistogramReading, lagBoundsSec } from './counters.ts';

/** Rare enough to cost nothing, and a delay that matters lasts longer. */
const everyMs = 100;

export interface LagMeter {
  readonly reading: HistogramReading;
  stop(): void;
}

/** Does not keep the process alive. */
export function measureLag(now: () => number = () => performance.now()): LagMeter {
  const histogram = new Histogram(lagBoundsSec);
  let due = now() + everyMs;
  let timer: NodeJS.Timeout;
  const look = () => {
    const late = now() - due;
    // Timers are rounded to whole milliseconds and may so come a little early.
    histogram.add(Math.max(0, late) / 1000);
    plan();
  };
  const plan = () => {
    due = now() + everyMs;
    timer = setTimeout(look, everyMs);
    timer.unref();
  };
  plan();
  return {
    get reading() {
      return histogram.reading;
    },
    stop: () => clearTimeout(timer),
  };
}
