// Metrics as text, in the format a scraper asks for; and what the library knows of this process.
import type { Gauge, Metric, Registry, RegistryContentType } from 'prom-client';
import type { Family } from './family.ts';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Loaded at the first scrape: a node starts sooner without. */
const library = () => import('prom-client');

/** Gauges whose names end as those of counters do, and what `distributor_event_loop_lag_seconds` says better. */
const leftOut = /^nodejs_(active_.*_total|eventloop_lag_)/;

let processRegistry: Promise<Registry> | undefined;

/** @param openMetrics OpenMetrics 1.0 rather than Prometheus' text format 0.0.4 */
export async function expose(families: readonly Family[], openMetrics: boolean): Promise<Exposition> {
  const { Registry } = await library();
  // A registry of its own for each scrape: that of OpenMetrics takes the `_total` off the names it is given.
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

/** What a registry gives as JSON: its types name the members of a metric, not its values. */
type RegistryMetric = Omit<Family, 'samples'> & { readonly values: Family['samples'] };

/** The part of the library's metrics that a registry asks for. */
function readingOf({ name, help, type, samples }: Family): Metric {
  const reading = {
    ...{ name, help, type, aggregator: 'sum' },
    // The registry may have changed the name meanwhile.
    get: async () => ({ name: reading.name, help, type, values: samples }),
  };
  return reading as unknown as Gauge;
}
