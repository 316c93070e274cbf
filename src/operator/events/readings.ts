// One metrics point per second: cumulative counts of the public side, and the latency of the operator API.

/** Totals of the server processes. */
export interface Counts {
  readonly requests: number;
  readonly bytesSent: number;
  readonly downloadsInProgress: number;
}

export interface MetricsPoint extends Counts {
  /** ISO 8601. */
  readonly at: string;
  /** Of the requests since the previous point; null: no requests. */
  readonly operatorLatencyMs: { readonly p50: number; readonly p99: number } | null;
}

/** Five minutes. */
const maxPoints = 300;

/** Durations kept per second; later ones replace earlier ones. */
const maxTimes = 1000;

export class MetricsSeries {
  readonly #counts: () => Counts;
  readonly #now: () => number;
  #points: MetricsPoint[] = [];
  #times: number[] = [];
  #timed = 0;

  constructor(counts: () => Counts, now: () => number) {
    this.#counts = counts;
    this.#now = now;
  }

  /** Record the duration of a request of the operator API. */
  answered(milliseconds: number): void {
    this.#times[this.#timed % maxTimes] = milliseconds;
    this.#timed += 1;
  }

  /** Call once a second. */
  sample(): MetricsPoint {
    const { requests, bytesSent, downloadsInProgress } = this.#counts();
    const at = new Date(this.#now()).toISOString();
    const point = { at, requests, bytesSent, downloadsInProgress, operatorLatencyMs: latencyOf(this.#times) };
    this.#times = [];
    this.#timed = 0;
    this.#points.push(point);
    if (this.#points.length > maxPoints) this.#points.shift();
    return point;
  }

  /** Oldest first. */
  get points(): readonly MetricsPoint[] {
    return this.#points;
  }
}

function latencyOf(times: readonly number[]): MetricsPoint['operatorLatencyMs'] {
  if (times.length === 0) return null;
  const sorted = times.toSorted((a, b) => a - b);
  /** Nearest rank: a measured value. */
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 1000) / 1000;
  return { p50: at(0.5), p99: at(0.99) };
}
