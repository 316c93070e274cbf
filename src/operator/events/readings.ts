// What the node has done, as one point a second: cumulative counts of the public side, and how fast the operator API was.

/** As the public workers count it. */
export interface Counts {
  readonly requests: number;
  readonly bytesSent: number;
  readonly downloadsInProgress: number;
}

export interface MetricsPoint extends Counts {
  /** ISO 8601. */
  readonly at: string;
  /** Of the requests answered since the point before; null: there were none. */
  readonly operatorLatencyMs: { readonly p50: number; readonly p99: number } | null;
}

/** Five minutes of them. */
const maxPoints = 300;

/** Of so many requests a second, the latest, the times are looked at. */
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

  /** A request of the operator API was answered after this long. */
  answered(milliseconds: number): void {
    this.#times[this.#timed % maxTimes] = milliseconds;
    this.#timed += 1;
  }

  /** To be called once a second. */
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
  /** The nearest rank: a time that was really taken. */
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 1000) / 1000;
  return { p50: at(0.5), p99: at(0.99) };
}
