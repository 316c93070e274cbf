// How fast storage nodes answer: the mean of the last ten response times of `/version`, measured at intervals.

export interface ResponseTimesOptions {
  readonly everyMs: number;
  /** Sends one request. @returns the response time in ms. Rejects if the request fails. */
  readonly ask: (endpoint: string, signal: AbortSignal) => Promise<number>;
  /** Response time that a failure counts as. */
  readonly failureMs: number;
}

const samplesKept = 10;
/** Maximum number of endpoints measured: further ones replace those that were needed longest ago. */
const maxEndpoints = 1000;
const askedAtOnce = 10;

export class ResponseTimes {
  readonly #options: ResponseTimesOptions;
  readonly #end = new AbortController();
  /** Ordered by when they were last needed. */
  readonly #samples = new Map<string, readonly number[]>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isMeasuring = false;

  constructor(options: ResponseTimesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.measure(), this.#options.everyMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#end.abort();
    await this.measured();
  }

  /** These endpoints are needed: they are measured from the next round on. */
  need(endpoints: readonly string[]): void {
    for (const endpoint of endpoints) {
      const samples = this.#samples.get(endpoint) ?? [];
      this.#samples.delete(endpoint);
      const [oldest] = this.#samples.keys();
      if (this.#samples.size >= maxEndpoints && oldest !== undefined) this.#samples.delete(oldest);
      this.#samples.set(endpoint, samples);
    }
  }

  /** Fastest first; endpoints without a measurement come last, in the given order. */
  sorted(endpoints: readonly string[]): readonly string[] {
    const means = endpoints.map((endpoint) => [endpoint, this.#mean(endpoint)] as const);
    return means.sort(([, a], [, b]) => a - b).map(([endpoint]) => endpoint);
  }

  #mean(endpoint: string): number {
    const samples = this.#samples.get(endpoint) ?? [];
    return samples.length === 0 ? Number.MAX_VALUE : samples.reduce((sum, ms) => sum + ms, 0) / samples.length;
  }

  /** Starts a round, unless one is in progress. */
  measure(): void {
    if (this.#isMeasuring || this.#end.signal.aborted) return;
    this.#isMeasuring = true;
    const left = [...this.#samples.keys()];
    const askInTurn = async (): Promise<void> => {
      for (let endpoint = left.shift(); endpoint !== undefined; endpoint = left.shift()) await this.#sample(endpoint);
    };
    const all = Promise.all(Array.from({ length: askedAtOnce }, askInTurn));
    this.#round = all.then(() => {
      this.#isMeasuring = false;
    });
  }

  /** Resolves when the round in progress has ended. */
  measured(): Promise<void> {
    return this.#round;
  }

  async #sample(endpoint: string): Promise<void> {
    const { ask, failureMs } = this.#options;
    const { signal } = this.#end;
    if (signal.aborted) return;
    const ms = await ask(endpoint, signal).catch(() => failureMs);
    const samples = this.#samples.get(endpoint);
    if (samples && !signal.aborted) this.#samples.set(endpoint, [...samples, ms].slice(-samplesKept));
  }
}
