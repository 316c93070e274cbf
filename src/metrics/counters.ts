// Cumulative counters and histograms that server processes send to the control process, and their sums.

/** A histogram as plain data: how many values fell into each bucket (the last has no upper bound), and their sum. */
export interface HistogramReading {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** `local`: a file or a copy here, arriving ones included. `external`: passed through. */
export type DataSource = 'local' | 'external';

/** Totals of a server process since its start; they never decrease. */
export interface ServerCounters {
  /** Requests answered, by `<cache word> <status>`: `hit 200`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Bytes of objects sent to viewers, by where they came from: `X-Data-Source`. */
  readonly sentBytes: Readonly<Record<DataSource, number>>;
  /** Incomplete responses: the client disconnected, or the connection was cut. */
  readonly broken: number;
  /** Seconds from a request's headers to the first byte of its answer; bounds: `latencyBoundsSec`. */
  readonly firstByte: HistogramReading;
  /** Seconds from a request's headers to the end of its answer; bounds: `latencyBoundsSec`. */
  readonly duration: HistogramReading;
  /** Seconds by which the event loop was late; bounds: `lagBoundsSec`. */
  readonly lag: HistogramReading;
  readonly cpuSec: number;
}

/** The metrics in each heartbeat of a server process. */
export interface ServerMetrics {
  readonly counts: ServerCounters;
  /** Open connections, without those of drains. */
  readonly connections: number;
  readonly residentBytes: number;
}

/** Upper bounds of request times, in seconds: from a read from memory to a long video for a slow client. */
export const latencyBoundsSec: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

/** Upper bounds of event loop delays, in seconds. */
export const lagBoundsSec: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** A histogram. Adding a value allocates nothing. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper bounds, ascending and inclusive */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  get reading(): HistogramReading {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}

const nothingIn = (bounds: readonly number[]): HistogramReading => new Histogram(bounds).reading;

export const noServerCounters: ServerCounters = {
  answers: {},
  sentBytes: { local: 0, external: 0 },
  broken: 0,
  firstByte: nothingIn(latencyBoundsSec),
  duration: nothingIn(latencyBoundsSec),
  lag: nothingIn(lagBoundsSec),
  cpuSec: 0,
};

export function addServerCounters(a: ServerCounters, b: ServerCounters): ServerCounters {
  return {
    answers: addByKey(a.answers, b.answers),
    sentBytes: {
      local: a.sentBytes.local + b.sentBytes.local,
      external: a.sentBytes.external + b.sentBytes.external,
    },
    broken: a.broken + b.broken,
    firstByte: addReadings(a.firstByte, b.firstByte),
    duration: addReadings(a.duration, b.duration),
    lag: addReadings(a.lag, b.lag),
    cpuSec: a.cpuSec + b.cpuSec,
  };
}

export const noServerMetrics: ServerMetrics = { counts: noServerCounters, connections: 0, residentBytes: 0 };

export const addServerMetrics = (a: ServerMetrics, b: ServerMetrics): ServerMetrics => ({
  counts: addServerCounters(a.counts, b.counts),
  connections: a.connections + b.connections,
  residentBytes: a.residentBytes + b.residentBytes,
});

function addByKey(a: ServerCounters['answers'], b: ServerCounters['answers']): ServerCounters['answers'] {
  const sum = { ...a };
  for (const [key, count] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}

const addReadings = (a: HistogramReading, b: HistogramReading): HistogramReading => ({
  counts: a.counts.map((count, bucket) => count + (b.counts[bucket] ?? 0)),
  sum: a.sum + b.sum,
});
