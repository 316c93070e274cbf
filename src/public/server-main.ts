// A public worker's process: does what the control process orders, and finishes alone when that one has died.
import type { Server } from 'node:net';
import { connectionCount, countsDescriptor } from '../ipc/connection-counts.ts';
import type { Order, Report } from '../ipc/messages.ts';
import { sharedSettingsDescriptor, sharedSettingsReader } from '../ipc/shared-settings.ts';
import type { ServerMetrics } from '../metrics/counters.ts';
import { measureLag } from '../metrics/event-loop-lag.ts';
import { PublicServer } from './public-server.ts';

/** The drain of a worker that has lost its control process; orders count from 1. */
const farewell = 0;

// A terminal sends its signals to the whole group, and a process manager may: what to do is for the control process to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// Its other end may have died; words nobody hears must not end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

let publicServer: PublicServer | null = null;
let drainTimeoutMs = 0;
/** Orders about the port are carried out one after the other. */
let port: Promise<void> = Promise.resolve();
let onDrained = () => {};
const lag = measureLag();

process.on('message', (order: Order, shared: Server | undefined) => {
  // A shared port accepts from the moment it is here: it must not wait for whoever is to serve it.
  if (order.type === 'join') void obey(order, shared);
  else if (['listen', 'close', 'drain', 'cut'].includes(order.type)) port = port.then(() => obey(order));
  else void obey(order);
});
let alone = false;
function look(): void {
  if (process.connected || alone) return;
  alone = true;
  clearInterval(looking);
  port = port.then(finish);
}
process.once('disconnect', look);
// Node does not tell of a channel that ended while a port was being handed over, so it is looked at now and then.
const looking = setInterval(look, 200);
report({ type: 'hello' });

async function obey(order: Order, shared?: Server): Promise<void> {
  const { seq } = order;
  try {
    if (order.type === 'lend') return report({ type: 'lent', seq }, known().lend());
    const actual = await carryOut(order, shared);
    const serverMetrics = order.type === 'ping' && publicServer ? serverMetricsOf(publicServer) : undefined;
    report({ type: 'confirmed', seq, port: actual, activity: publicServer?.activity, serverMetrics });
    if (order.type === 'drain') publicServer?.drain(order.drain);
    if (order.type === 'cut') publicServer?.cut(order.drain);
  } catch (error) {
    shared?.close();
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    report({ type: 'failed', seq, code, reason: message });
  }
}

/** What follows the confirmation, because it tells of its own end, is left out here. */
async function carryOut(order: Order, shared?: Server): Promise<number | undefined> {
  switch (order.type) {
    case 'setup':
      drainTimeoutMs = order.drainTimeoutMs;
      publicServer = new PublicServer(
        order.setup,
        order.settings.settings,
        {
          newSettings: sharedSettingsReader(sharedSettingsDescriptor, order.settings.number),
          drained: (drain, cut) => {
            report({ type: 'drained', drain, cut });
            onDrained();
          },
          doubt: (objectId) => report({ type: 'doubt', objectId }),
          requests: (requests) => report({ type: 'requests', ...requests }),
        },
        connectionCount(countsDescriptor, order.process),
      );
      return;
    case 'directory':
      known().apply(order.change, order.more);
      return;
    case 'ready':
      known().isReady = order.ready;
      return;
    case 'listen':
      return known().listen({ host: order.host, port: order.port });
    case 'join':
      if (shared === undefined) throw new Error('No port came with the order to share it');
      return known().listen(shared);
    case 'close':
      await known().close(order.drain, order.withinMs);
      return;
    case 'leave':
      process.exit(0);
  }
}

function serverMetricsOf({ serverMetrics: { counts, connections } }: PublicServer): ServerMetrics {
  const { user, system } = process.cpuUsage();
  const own = { lag: lag.reading, cpuSec: (user + system) / 1e6 };
  return { counts: { ...counts, ...own }, connections, residentBytes: process.memoryUsage.rss() };
}

function known(): PublicServer {
  if (publicServer === null) throw new Error('Not set up yet');
  return publicServer;
}

function report(message: Report, shared?: Server): void {
  // The channel may break at any moment; `disconnect` tells.
  if (process.connected) process.send?.(message, shared, undefined, () => {});
}

/** The control process has died: accept nothing more, let what is under way end, and leave. */
async function finish(): Promise<void> {
  await publicServer?.close(farewell, 500);
  const left = () => publicServer?.activity.drains ?? [];
  for (const { drain } of left()) publicServer?.drain(drain);
  onDrained = () => {
    if (left().length === 0) process.exit(0);
  };
  onDrained();
  setTimeout(() => {
    for (const { drain } of left()) publicServer?.cut(drain);
    process.exit(0);
  }, drainTimeoutMs);
}
