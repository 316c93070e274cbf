// Metrics read by a real parser of Prometheus' text format.
import parse, { type ParsedFamily } from 'parse-prometheus-text-format';

export interface Scrape {
  readonly families: readonly ParsedFamily[];
  /** Of the series with exactly these labels; null: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | null;
}

export function scrapeOf(text: string): Scrape {
  const families = parse(text);
  const value: Scrape['value'] = (name, labels = {}) => {
    const series = families.find((family) => family.name === name)?.metrics ?? [];
    const found = series.find((one) => sorted(one.labels ?? {}) === sorted(labels));
    return found?.value === undefined ? null : Number(found.value);
  };
  return { families, value };
}

const sorted = (labels: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(labels).sort());
