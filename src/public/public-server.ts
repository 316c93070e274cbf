// The public side of one process: what it knows, its port in all its generations, and its activity.
import type { Server } from 'node:net';
import type { DataObject } from '../../machines/answer.ts';
import type { Settings } from '../../machines/settings.ts';
import { monotonicMs } from '../base/monotonic.ts';
import type { ConnectionCount } from '../ipc/connection-counts.ts';
import type { ActivityMetrics, DirectoryChange, DrainProgress, RequestsReport, WorkerSetup } from '../ipc/messages.ts';
import { Places } from './connection-places.ts';
import { HotCache } from './hot-cache.ts';
import { Listener } from './listener.ts';
import { ObjectIndex } from './object-index.ts';
import { createApi } from './public-api.ts';
import type { RequestContext } from './request-context.ts';
import { RequestLog } from './request-log.ts';
import { RequestMetrics } from './server-metrics.ts';
import { statusDocument } from './status.ts';

export interface PublicServerEvents {
  /** Asked before each request is judged: settings that are new; null: as before. */
  readonly newSettings?: () => Settings | null;
  /** The last connection of a drain has gone. `cut`: how many of them were cut. */
  readonly drained: (drain: number, cut: number) => void;
  /** The file of an object is not what the directory says of it. */
  readonly doubt: (objectId: string) => void;
  /** Left out: nobody wants to know. */
  readonly requests?: (report: RequestsReport) => void;
}

/** An object in doubt is looked at by others: until they have, the same doubt is told only this often. */
const doubtPauseMs = 1000;

export class PublicServer {
  readonly #setup: WorkerSetup;
  readonly #events: PublicServerEvents;
  readonly #objectIndex: ObjectIndex;
  readonly #hotCache: HotCache;
  readonly #doubts = new Map<string, number>();
  readonly #drains = new Map<number, { readonly listener: Listener; cut: number }>();
  readonly #answer: ReturnType<typeof createApi>;
  /** Whether new viewers are welcome while the port is open. */
  isReady = true;
  readonly #places: Places;
  #open: Listener | null = null;
  #port: Promise<number> | null = null;
  #requests = 0;
  #bytesSent = 0;
  readonly #requestMetrics = new RequestMetrics();
  readonly #requestLog: RequestLog;

  /** @param count what other processes hold of the connections; left out: there are none */
  constructor(setup: WorkerSetup, settings: Settings, events: PublicServerEvents, count?: ConnectionCount) {
    const { limits, affordableConnections: affordable = 0 } = setup;
    this.#setup = setup;
    // However often the port is closed and opened, there is one limit: what drains still hold counts.
    this.#places = new Places({ maxConnections: limits.maxConnections, affordable, count });
    this.#events = events;
    this.#objectIndex = new ObjectIndex(settings);
    this.#requestLog = new RequestLog(setup.tellsRequests ?? false, (report) => events.requests?.(report));
    this.#hotCache = new HotCache(limits.hotObjectsBytes);
    const startedMs = setup.startedMs ?? monotonicMs();
    this.#answer = createApi({
      objectIndex: this.#objectIndex,
      hotCache: this.#hotCache,
      unready: () => (this.#open === null ? 'draining' : this.isReady ? null : 'stopping soon'),
      status: () => statusDocument({ ...this.#setup, startedMs }, this.#objectIndex, this.activity),
      doubt: (object) => this.#doubt(object),
      maxBodyBytes: limits.maxBodyBytes,
      sent: (bytes) => {
        this.#bytesSent += bytes;
      },
    });
  }

  get activity(): ActivityMetrics {
    const drains: DrainProgress[] = [...this.#drains].map(([drain, { listener }]) => ({
      drain,
      connections: listener.connections,
      bytesLeft: listener.bytesLeft,
    }));
    return { requests: this.#requests, bytesSent: this.#bytesSent, downloadsInProgress: 0, drains };
  }

  /** What is counted, and the connections of the open port. */
  get serverMetrics() {
    return { counts: this.#requestMetrics.reading, connections: this.#open?.connections ?? 0 };
  }

  configure(settings: Settings): void {
    this.#objectIndex.configure(settings);
  }

  /** @param more a further part of the same change follows */
  apply(change: DirectoryChange, more = false): void {
    this.#objectIndex.apply(change, more);
    this.#hotCache.clear();
    this.#doubts.clear();
  }

  /**
   * Resolves with the actual port. What is open already stays so.
   * @param where a server is one that listens already: its port is shared
   * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
   */
  async listen(where: { readonly host: string; readonly port: number } | Server): Promise<number> {
    this.#open ??= new Listener(
      this.#setup.limits,
      this.#places,
      (context) => {
        this.#requests += 1;
        const settings = this.#events.newSettings?.();
        if (settings) this.configure(settings);
        this.#answer(context);
      },
      this.#count,
    );
    const listener = this.#open;
    try {
      this.#port ??= listener.listen(where);
      return await this.#port;
    } catch (error) {
      this.#open = this.#port = null;
      throw error;
    }
  }

  /** The open port, to be handed to another process. */
  lend(): Server {
    if (this.#open === null) throw new Error('Not listening');
    return this.#open.server;
  }

  /**
   * Resolves when the port refuses; the connections it had are those of this drain. Nothing is said to them yet, and
   * nothing answered before `drain`, or twice `withinMs` where that does not come.
   * @param withinMs how long connections on their way may be taken in first
   */
  async close(drain: number, withinMs: number): Promise<void> {
    if (this.#open === null) return;
    const listener = this.#open;
    this.#open = this.#port = null;
    await listener.closeListener(withinMs);
    this.#drains.set(drain, { listener, cut: 0 });
  }

  /** Let the connections of a drain end. `drained` is told when the last has gone, at once if there is none. */
  drain(drain: number): void {
    const draining = this.#drains.get(drain);
    if (draining === undefined) {
      this.#events.drained(drain, 0);
      return;
    }
    draining.listener.drain(() => {
      this.#drains.delete(drain);
      this.#events.drained(drain, draining.cut);
    });
  }

  /** Close every connection of a drain at once. */
  cut(drain: number): void {
    const draining = this.#drains.get(drain);
    if (draining === undefined) return;
    this.drain(drain);
    draining.cut += draining.listener.cut();
  }

  readonly #count = (context: RequestContext): void => {
    this.#requestMetrics.add(context);
    this.#requestLog.add(context);
  };

  #doubt({ id }: DataObject): void {
    const now = performance.now();
    if (now - (this.#doubts.get(id) ?? Number.NEGATIVE_INFINITY) < doubtPauseMs) return;
    this.#doubts.set(id, now);
    this.#events.doubt(id);
  }
}
