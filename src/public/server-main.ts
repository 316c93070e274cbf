// Entry point of a server process: executes the orders of the control process, and drains by itself if that has died.
import { realpathSync } from 'node:fs';
import type { Server } from 'node:net';
import { messageOf } from '../base/errors.ts';
import { connectionCount, countsDescriptor } from '../ipc/connection-counts.ts';
import { LookUpClient } from '../ipc/look-up-client.ts';
import type { Order, PassingSetup, Report } from '../ipc/messages.ts';
import { sharedSettingsDescriptor, sharedSettingsReader } from '../ipc/shared-settings.ts';
import type { ServerMetrics } from '../metrics/counters.ts';
import { measureLag } from '../metrics/event-loop-lag.ts';
import { openRange } from '../sources/http-fetch.ts';
import { dataObject } from '../store/data-object.ts';
import { openStoreReader } from '../store/index-folder.ts';
import { isDamage } from '../store/lmdb-file.ts';
import { PublicServer } from './public-server.ts';

/** No request is sent with it. */
const noPassing: PassingSetup = {
  allowPrivateAddresses: false,
  requestTimeoutMs: 0,
  stallTimeoutMs: 0,
  maxResponses: 0,
};

/** The drain after the control process has died; ordered drains are numbered from 1. */
const orphanDrain = 0;

// Terminals, and some process managers, signal the whole process group: only the control process reacts.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The control process may have died: output errors must not crash this process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

let publicServer: PublicServer | null = null;
let drainTimeoutMs = 0;
let stateDirectory = '';
/** As configured; null: there are no copies. */
let assetsDirectory: string | null = null;
/** Its path without symbolic links, by which files are opened; undefined: it is not there. */
let assets: string | undefined;
/** The id of the index that the content process has; null: not known yet. */
let orderedIndex: string | null = null;
/** The id of the index that was opened last. */
let openedIndex: string | null = null;
let lookUps: LookUpClient | null = null;
/** Queue of orders about the port. */
let port: Promise<void> = Promise.resolve();
let onDrained = () => {};
const lag = measureLag();

process.on('message', (order: Order, shared: Server | undefined) => {
  // A shared port accepts connections as soon as it arrives, so its order must not wait in the queue.
  if (order.type === 'join') void execute(order, shared);
  else if (['listen', 'close', 'drain', 'cut'].includes(order.type)) port = port.then(() => execute(order));
  else void execute(order);
});
let isOrphaned = false;
function checkChannel(): void {
  if (process.connected || isOrphaned) return;
  isOrphaned = true;
  clearInterval(checking);
  port = port.then(finish);
}
process.once('disconnect', checkChannel);
// Node emits no `disconnect` if the channel closed while a port was in transit, so check periodically.
const checking = setInterval(checkChannel, 200);
report({ type: 'hello' });

async function execute(order: Order, shared?: Server): Promise<void> {
  const { seq } = order;
  try {
    if (order.type === 'lend') return report({ type: 'lent', seq }, server().lend());
    const actual = await resultOf(order, shared);
    const serverMetrics = order.type === 'ping' && publicServer ? serverMetricsOf(publicServer) : undefined;
    const hasIndex = order.type === 'setup' ? server().hasReadDirectory : undefined;
    report({ type: 'confirmed', seq, port: actual, hasIndex, activity: publicServer?.activity, serverMetrics });
    if (order.type === 'drain') publicServer?.drain(order.drain);
    if (order.type === 'cut') publicServer?.cut(order.drain);
  } catch (error) {
    shared?.close();
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    report({ type: 'failed', seq, code, reason: message });
  }
}

/** Without `drain` and `cut`: they report their own end, which must follow the confirmation. */
async function resultOf(order: Order, shared?: Server): Promise<number | undefined> {
  switch (order.type) {
    case 'setup': {
      const { setup } = order;
      drainTimeoutMs = order.drainTimeoutMs;
      stateDirectory = setup.stateDirectory;
      const content = new LookUpClient(setup.lookUpSocket, { timeoutMs: setup.lookUpTimeoutMs });
      lookUps = content;
      const { maxResponses: _, ...limits } = setup.passing ?? noPassing;
      assetsDirectory = setup.assetsDirectory ?? null;
      publicServer = new PublicServer(
        setup,
        order.settings.settings,
        {
          lookUps: content,
          bringing: content,
          openRange: (url, range) => openRange(url, { ...limits, ...range }),
          dataObject: (id, row, bag, copy) => dataObject(id, row, bag, copy, copy && assetsPath()),
          isDamage: (error) => reportedDamage(error, openedIndex),
          count: connectionCount(countsDescriptor, order.process),
        },
        {
          newSettings: sharedSettingsReader(sharedSettingsDescriptor, order.settings.number),
          drained: (drain, cut) => {
            report({ type: 'drained', drain, cut });
            onDrained();
          },
          requests: (requests) => report({ type: 'requests', ...requests }),
        },
      );
      // There may be none yet, or none that can be read: an order follows when the content process has built one.
      tryToReadIndex();
      return;
    }
    case 'index':
      orderedIndex = order.id;
      if (server().indexId !== order.id) readIndex();
      return;
    case 'ping':
      resolveAssets();
      // Reading it may have failed for lack of file descriptors or memory.
      if (orderedIndex !== null && server().indexId !== orderedIndex) tryToReadIndex();
      return;
    case 'ready':
      server().isReady = order.ready;
      return;
    case 'listen':
      return server().listen({ host: order.host, port: order.port });
    case 'join':
      if (shared === undefined) throw new Error('No port came with the order to share it');
      return server().listen(shared);
    case 'close':
      await server().close(order.drain, order.withinMs);
      return;
    case 'leave':
      process.exit(0);
  }
}

function assetsPath(): string | undefined {
  if (assets === undefined) resolveAssets();
  return assets;
}

/** The folder may be made, or a link to it be changed, at any time. */
function resolveAssets(): void {
  try {
    assets = assetsDirectory === null ? undefined : realpathSync(assetsDirectory);
  } catch {
    assets = undefined;
  }
}

/** Everything is undecided until one can be read. */
function tryToReadIndex(): void {
  try {
    readIndex();
  } catch (error) {
    reportedDamage(error, orderedIndex);
  }
}

/** Whether the error is damage of the index, which the content process then rebuilds: it alone writes. */
function reportedDamage(error: unknown, indexId: string | null): boolean {
  if (!isDamage(error)) return false;
  if (indexId !== null) lookUps?.reportDamage(indexId, messageOf(error));
  return true;
}

/** @throws {Error} if it cannot be read; then no index is in use, since an earlier one is out of date */
function readIndex(): void {
  server().useIndex(null);
  const index = openStoreReader(stateDirectory);
  openedIndex = index.summary.id;
  server().useIndex(index);
}

function serverMetricsOf({ serverMetrics: { counts, connections } }: PublicServer): ServerMetrics {
  const { user, system } = process.cpuUsage();
  const own = { lag: lag.reading, cpuSec: (user + system) / 1e6 };
  return { counts: { ...counts, ...own }, connections, residentBytes: process.memoryUsage.rss() };
}

function server(): PublicServer {
  if (publicServer === null) throw new Error('Not set up yet');
  return publicServer;
}

function report(message: Report, shared?: Server): void {
  // The channel may break at any moment; `disconnect` follows.
  if (process.connected) process.send?.(message, shared, undefined, () => {});
}

/** The control process has died: close the port, drain, and exit. */
async function finish(): Promise<void> {
  await publicServer?.close(orphanDrain, 500);
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
