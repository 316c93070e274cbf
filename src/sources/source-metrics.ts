// Totals of each source since the start. The number of rows is bounded, because endpoints are untrusted input.
import type { SourceTotals } from './source.ts';

const maxSources = 200;
const rest = 'other';

type Counter = { -readonly [K in keyof SourceTotals]: SourceTotals[K] };

export class SourceMetrics {
  readonly #rows = new Map<string, Counter>();

  get rows(): readonly SourceTotals[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }

  has(source: string): boolean {
    return this.#rows.has(source);
  }

  request(source: string): void {
    this.#row(source).requests += 1;
  }

  failure(source: string): void {
    this.#row(source).failures += 1;
  }

  bytes(source: string, bytes: number): void {
    this.#row(source).bytes += bytes;
  }

  head(source: string, seconds: number): void {
    const row = this.#row(source);
    row.headSeconds += seconds;
    row.heads += 1;
  }

  #row(wanted: string): Counter {
    const source = this.#rows.has(wanted) || this.#rows.size < maxSources ? wanted : rest;
    let row = this.#rows.get(source);
    if (row === undefined) {
      row = { source, requests: 0, failures: 0, bytes: 0, headSeconds: 0, heads: 0 };
      this.#rows.set(source, row);
    }
    return row;
  }
}
