// A metric family as plain data, built at every scrape from counters and histograms.
import type { HistogramReading } from './counters.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Of a histogram: the family's name with a suffix. */
  readonly metricName?: string;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

type Series = readonly (readonly [labels: Labels, value: number])[];

export const counter = (name: string, help: string, series: Series): Family => family('counter', name, help, series);

export const gauge = (name: string, help: string, series: Series): Family => family('gauge', name, help, series);

/** One value, without labels. */
export const just = (value: number): Series => [[{}, value]];

/** Every state, with 1 for the current one. */
export const stateSet = (states: readonly string[], current: string): Series =>
  states.map((state) => [{ state }, state === current ? 1 : 0]);

const family = (type: Family['type'], name: string, help: string, series: Series): Family => ({
  ...{ name, help, type },
  samples: series.map(([labels, value]) => ({ labels, value })),
});

/** @param bounds upper bounds of all buckets except the last */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  series: readonly (readonly [labels: Labels, reading: HistogramReading])[],
): Family {
  const samples = series.flatMap(([labels, { counts, sum }]) => {
    let total = 0;
    const buckets = counts.map((count, place) => {
      total += count;
      const le = String(bounds[place] ?? '+Inf');
      return { labels: { le, ...labels }, value: total, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: total, metricName: `${name}_count` },
    ];
  });
  return { name, help, type: 'histogram', samples };
}
