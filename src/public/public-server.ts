// The public API in one server process: its data, its listeners (the open one and those that drain), and its activity.
import type { Server } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Settings } from '../../machines/settings.ts';
import { monotonicMs } from '../base/monotonic.ts';
import type { Bringing } from '../ipc/arrival.ts';
import type { ConnectionCount } from '../ipc/connection-counts.ts';
import type { LookUps } from '../ipc/look-up.ts';
import type { ActivityMetrics, DrainProgress, RequestsReport, ServerSetup } from '../ipc/messages.ts';
import type { ObjectIndex } from '../store/object-index.ts';
import { Assets } from './assets.ts';
import { Places } from './connection-places.ts';
import { CopyUses } from './copy-uses.ts';
import { HotCache } from './hot-cache.ts';
import { Listener } from './listener.ts';
import { type DataObjectOf, ObjectView } from './object-view.ts';
import { type OpenRange, PassThrough } from './pass-through.ts';
import { createApi } from './public-api.ts';
import type { RequestContext } from './request-context.ts';
import { RequestLog } from './request-log.ts';
import { RequestMetrics } from './server-metrics.ts';
import { statusDocument } from './status.ts';

/** Without what its process needs to open the index, the channel of look-ups and sources. */
export type PublicSetup = Omit<ServerSetup, 'stateDirectory' | 'assetsDirectory' | 'lookUpSocket' | 'lookUpTimeoutMs'>;

export interface PublicServerParts {
  readonly lookUps: LookUps;
  readonly bringing: Bringing;
  readonly openRange: OpenRange;
  readonly dataObject: DataObjectOf;
  /** Whether this error of a read comes from a damaged index: it is reported, and not read any longer. Left out: none does. */
  readonly isDamage?: (error: unknown) => boolean;
  /** Connections of all processes; left out: there are no others. */
  readonly count?: ConnectionCount;
}

export interface PublicServerEvents {
  /** Called before each request: new settings; null: unchanged. */
  readonly newSettings?: () => Settings | null;
  /** The last connection of a drain has closed. `cut`: the number of connections that were cut. */
  readonly drained: (drain: number, cut: number) => void;
  /** Left out: requests are not reported. */
  readonly requests?: (report: RequestsReport) => void;
}

/** Minimum interval between reports of the same bad copy, while it is being checked, and how many copies have one. */
const badCopyIntervalMs = 1000;
const maxBadCopies = 1000;

export class PublicServer {
  readonly #setup: PublicSetup;
  readonly #events: PublicServerEvents;
  readonly #objects: ObjectView;
  readonly #lookUps: LookUps;
  readonly #bringing: Bringing;
  readonly #badCopies = new LRUCache<string, true>({ max: maxBadCopies, ttl: badCopyIntervalMs });
  readonly #drains = new Map<number, { readonly listener: Listener; cut: number }>();
  readonly #answer: ReturnType<typeof createApi>;
  /** Whether new viewers are accepted while the port is open. */
  isReady = true;
  readonly #places: Places;
  #open: Listener | null = null;
  #port: Promise<number> | null = null;
  #requests = 0;
  readonly #sent = { local: 0, external: 0 };
  readonly #uses: CopyUses;
  readonly #requestMetrics = new RequestMetrics();
  readonly #requestLog: RequestLog;

  constructor(setup: PublicSetup, settings: Settings, parts: PublicServerParts, events: PublicServerEvents) {
    const { lookUps, bringing, openRange, dataObject, isDamage, count } = parts;
    const { limits, passing, affordableConnections: affordable = 0 } = setup;
    this.#setup = setup;
    // One limit for all listeners: connections of drains count too.
    this.#places = new Places({ maxConnections: limits.maxConnections, affordable, count });
    this.#events = events;
    this.#objects = new ObjectView(settings, dataObject, setup.indexSource, isDamage);
    this.#lookUps = lookUps;
    this.#bringing = bringing;
    this.#requestLog = new RequestLog(setup.reportsRequests ?? false, (report) => events.requests?.(report));
    this.#uses = new CopyUses((uses) => bringing.reportUses(uses));
    const assets = new Assets({
      objects: this.#objects,
      lookUps,
      bringing,
      hotCache: new HotCache(limits.hotObjectsBytes),
      passThrough: new PassThrough(openRange, passing?.maxResponses ?? 0, (bytes) => {
        this.#sent.external += bytes;
      }),
      reportBadCopy: ({ id }) => this.#reportBadCopy(id),
      used: (id) => this.#uses.count(id),
      sent: (bytes) => {
        this.#sent.local += bytes;
      },
    });
    const facts = { ...setup, startedMs: setup.startedMs ?? monotonicMs() };
    this.#answer = createApi({
      objects: this.#objects,
      assets,
      unready: () => this.#unready(),
      status: () => statusDocument(facts, this.#objects, bringing.downloadsInProgress),
      maxBodyBytes: limits.maxBodyBytes,
    });
  }

  get activity(): ActivityMetrics {
    const drains: DrainProgress[] = [...this.#drains].map(([drain, { listener }]) => ({
      drain,
      connections: listener.connections,
      bytesLeft: listener.bytesLeft,
    }));
    const { local, external } = this.#sent;
    const { downloadsInProgress } = this.#bringing;
    return { requests: this.#requests, bytesSent: local + external, downloadsInProgress, drains };
  }

  /** Request metrics, and the connections of the open port. */
  get serverMetrics() {
    return {
      counts: { ...this.#requestMetrics.reading, sentBytes: { ...this.#sent } },
      connections: this.#open?.connections ?? 0,
    };
  }

  configure(settings: Settings): void {
    this.#objects.configure(settings);
  }

  /** Reports the uses of copies now that would be reported within seconds. */
  reportUses(): void {
    this.#uses.flush();
  }

  /** Whether it has an index of a directory that was read completely. */
  get hasReadDirectory(): boolean {
    return this.#objects.summary?.readAt != null;
  }

  /** The id of the index in use; null: none. */
  get indexId(): string | null {
    return this.#objects.summary?.id ?? null;
  }

  /** Reads this index from now on, and closes it when it is replaced; null: none. */
  useIndex(index: ObjectIndex | null): void {
    this.#objects.use(index);
  }

  /**
   * Resolves with the actual port. A port that is open stays open.
   * @param where a `Server` already listens: its port is shared
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

  /** The open port, to send to another process. */
  lend(): Server {
    if (this.#open === null) throw new Error('Not listening');
    return this.#open.server;
  }

  /**
   * Resolves when connections are refused; open connections then belong to this drain. Requests on them are answered only after
   * `drain`, or after twice `withinMs` if `drain` is not called.
   * @param withinMs how long to accept pending connections first
   */
  async close(drain: number, withinMs: number): Promise<void> {
    if (this.#open === null) return;
    const listener = this.#open;
    this.#open = this.#port = null;
    await listener.closeListener(withinMs);
    this.#drains.set(drain, { listener, cut: 0 });
  }

  /** Lets the connections of a drain end. `drained` is emitted when the last has closed, at once if there is none. */
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

  /** Closes every connection of a drain at once. */
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

  #unready(): string | null {
    if (this.#open === null) return 'draining';
    if (!this.isReady) return 'stopping soon';
    const { summary } = this.#objects;
    if (summary === null) return 'there is no index of the directory yet';
    return summary.readAt === null ? 'the directory has never been read' : null;
  }

  #reportBadCopy(id: string): void {
    if (this.#badCopies.has(id)) return;
    this.#badCopies.set(id, true);
    this.#lookUps.reportBadCopy(id);
  }
}
