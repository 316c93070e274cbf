// Metrics as text in the format requested by the scraper, including the default metrics of this process.
import type { Gauge, Metric, Registry, RegistryContentType } from 'prom-client';
import type { Family } from './family.ts';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Loaded at the first scrape, for a faster start. */
const library = () => import('prom-client');

/** Gauges named like counters, and lag metrics that `distributor_event_loop_lag_seconds` replaces. */
const leftOut = /^nodejs_(active_.*_total|eventloop_lag_)/;

let processRegistry: Promise<Registry> | undefined;

/** @param openMetrics OpenMetrics 1.0 rather than Prometheus' text format 0.0.4 */
export async function expose(families: readonly Family[], openMetrics: boolean): Promise<Exposition> {
  const { Registry } = await library();
  // A new registry for each scrape: an OpenMetrics registry strips `_total` from the names of its metrics.
  const registry = new Registry<RegistryContentType>();
  if (openMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const family of [...families, ...(await processFamilies())]) registry.registerMetric(readingOf(family));
  return { contentType: registry.contentType, text: await registry.metrics() };
}

async function processFamilies(): Promise<Family[]> {
  processRegistry ??= library().then(({ collectDefaultMetrics, Registry: Own }) => {
    const register = new Own();
    collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 1000 });
    return register;
  });
  const metrics = await (await processRegistry).getMetricsAsJSON();
  return metrics
    .filter(({ name }) => !leftOut.test(name))
    .map((metric) => {
      const { name, help, type, values } = metric as unknown as RegistryMetric;
      return { name, help, type, samples: values };
    });
}

/** A metric of a registry as JSON: the library's types omit the values. */
type RegistryMetric = Omit<Family, 'samples'> & { readonly values: Family['samples'] };

/** The part of a metric that a registry reads. */
function readingOf({ name, help, type, samples }: Family): Metric {
  const reading = {
    ...{ name, help, type, aggregator: 'sum' },
    // The registry may have changed the name.
    get: async () => ({ name: reading.name, help, type, values: samples }),
  };
  return reading as unknown as Gauge;
}
