// Event loop lag of this process, sampled ten times a second.
import { Histogram, type HistogramReading, lagBoundsSec } from './counters.ts';

/** Cheap, and short enough to catch any delay that matters. */
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
    // Timers are rounded to whole milliseconds and may fire slightly early.
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
