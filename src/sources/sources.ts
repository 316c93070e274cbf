// Fetches objects from storage nodes and HTTP origins: the best source first, and the next one if it fails.
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Condition } from '../base/condition.ts';
import { monotonicMs as systemMonotonicMs } from '../base/monotonic.ts';
import { AvoidedSources } from './avoided-sources.ts';
import { type FetchLimits, isThere, openRange } from './http-fetch.ts';
import { nameOfUrl, originOf } from './http-origin.ts';
import { OutboundSlots } from './outbound-slots.ts';
import { ResponseTimes } from './response-times.ts';
import { type Fetched, type SourceObject, type Sources, SourcesFailed, type SourceTotals } from './source.ts';
import { SourceFailures } from './source-failures.ts';
import { SourceFault } from './source-fault.ts';
import { SourceMetrics } from './source-metrics.ts';
import { fileUrl, holders, validEndpoints, versionUrl } from './storage-nodes.ts';

export interface SourcesOptions extends FetchLimits {
  /** How long a source that has misbehaved is avoided. */
  readonly avoidMs: number;
  /** How often response times are measured. */
  readonly checkResponseTimesMs: number;
  /** Maximum number of concurrent requests. */
  readonly maxConnections: number;
  /** How long the storage node that had an object is tried first for it; 0: never. */
  readonly rememberMs: number;
  readonly log: { warn(message: string): void };
  /** For tests. */
  readonly monotonicMs?: () => number;
}

/** Maximum number of objects whose storage node is remembered. */
const maxRemembered = 50_000;
/** Maximum number of URLs in one passage. */
const maxUrls = 10;

/** One place from which an object can be fetched. */
interface Place {
  /** Name in logs, conditions and the list of avoided sources. */
  readonly source: string;
  /** Name in the metrics. */
  readonly counted: string;
  readonly url: string;
}

type FetchOptions = Parameters<Sources['fetch']>[1];

export function openSources(options: SourcesOptions): Sources {
  return new HttpSources(options);
}

class HttpSources implements Sources {
  readonly #options: SourcesOptions;
  readonly #monotonicMs: () => number;
  readonly #slots: OutboundSlots;
  readonly #avoided: AvoidedSources;
  readonly #times: ResponseTimes;
  readonly #metrics = new SourceMetrics();
  readonly #remembered: LRUCache<string, string> | null;
  readonly #listeners = new Set<() => void>();
  readonly #inProgress = new Set<AbortController>();
  #isStopped = false;

  constructor(options: SourcesOptions) {
    const { avoidMs, checkResponseTimesMs, maxConnections, rememberMs, requestTimeoutMs } = options;
    const { monotonicMs = systemMonotonicMs } = options;
    this.#options = options;
    this.#monotonicMs = monotonicMs;
    this.#slots = new OutboundSlots(maxConnections);
    this.#avoided = new AvoidedSources({ avoidMs, monotonicMs, onChange: () => this.#notify() });
    this.#times = new ResponseTimes({
      everyMs: checkResponseTimesMs,
      ask: (endpoint, signal) => this.#responseTime(endpoint, signal),
      failureMs: requestTimeoutMs,
    });
    const perf = { now: monotonicMs };
    this.#remembered =
      rememberMs === 0 ? null : new LRUCache({ max: maxRemembered, ttl: rememberMs, ttlResolution: 0, perf });
  }

  start(): void {
    this.#times.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const controller of this.#inProgress) controller.abort(stopped());
    this.#avoided.stop();
    this.#listeners.clear();
    await this.#times.stop();
  }

  async fetch(object: SourceObject, options: FetchOptions): Promise<Fetched> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#isStopped) throw stopped();
    const controller = new AbortController();
    const onAbort = () => controller.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    this.#inProgress.add(controller);
    const end = () => {
      signal.removeEventListener('abort', onAbort);
      this.#inProgress.delete(controller);
    };
    try {
      const fetched = await this.#first(object, { ...options, signal: controller.signal });
      onceClosed(fetched.body, end);
      return fetched;
    } catch (error) {
      end();
      throw error;
    }
  }

  urls(object: SourceObject): readonly string[] {
    const { origin } = object;
    if (origin.kind === 'url') return this.#avoided.of(nameOfUrl(origin.url)) === 'never' ? [] : [origin.url];
    const { good, poor } = this.#candidates(object.id, origin.endpoints);
    return [...good, ...poor].slice(0, maxUrls).map((endpoint) => fileUrl(endpoint, object.id));
  }

  reportBad(source: string, why: string): void {
    this.#metrics.failure(this.#countedAs(source));
    this.#avoid(source, new SourceFault('wrong', 'WrongBytes', why));
  }

  get conditions(): readonly Condition[] {
    const { condition } = this.#avoided;
    return condition === null ? [] : [condition];
  }

  get metrics(): readonly SourceTotals[] {
    return this.#metrics.rows;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Opens the bytes at the first place that has them. */
  async #first(object: SourceObject, options: FetchOptions): Promise<Fetched> {
    const failures = new SourceFailures();
    for await (const place of this.#places(object, failures, options.signal)) {
      try {
        return await this.#open(object, place, options);
      } catch (error) {
        if (!(error instanceof SourceFault)) throw error;
        this.#failed(place, error);
        this.#remembered?.delete(object.id);
        failures.add(place.source, error);
      }
    }
    options.signal.throwIfAborted();
    throw failures.error(object.id);
  }

  async *#places({ id, origin }: SourceObject, failures: SourceFailures, signal: AbortSignal): AsyncGenerator<Place> {
    if (origin.kind === 'url') {
      const place = { source: nameOfUrl(origin.url), counted: originOf(origin.url), url: origin.url };
      if (this.#avoided.of(place.source) !== 'never') yield place;
      else failures.messages.push(`${place.source} has misbehaved and is avoided`);
      return;
    }
    const { good, poor } = this.#candidates(id, origin.endpoints);
    this.#times.need([...good, ...poor]);
    const [first] = good;
    const isRemembered = first !== undefined && first === this.#remembered?.get(id);
    if (isRemembered) yield nodePlace(first, id);
    for (const group of [isRemembered ? good.slice(1) : good, poor]) {
      const asked = holders(group, (endpoint, end) => this.#has(nodePlace(endpoint, id), failures, end, signal));
      for await (const endpoint of asked) yield nodePlace(endpoint, id);
    }
  }

  /** Endpoints in the order in which they are tried; `poor` ones have failed recently. */
  #candidates(
    objectId: string,
    endpoints: readonly string[],
  ): { readonly good: readonly string[]; readonly poor: readonly string[] } {
    const sorted = this.#times.sorted(validEndpoints(endpoints));
    const remembered = this.#remembered?.get(objectId);
    const ordered = [...sorted.filter((it) => it === remembered), ...sorted.filter((it) => it !== remembered)];
    const avoided = (avoidance: string) => ordered.filter((endpoint) => this.#avoided.of(endpoint) === avoidance);
    return { good: avoided('no'), poor: avoided('last') };
  }

  /** @param end aborted when the answer is no longer needed */
  async #has(place: Place, failures: SourceFailures, end: AbortSignal, signal: AbortSignal): Promise<boolean> {
    const controller = new AbortController();
    const onAbort = () => controller.abort();
    for (const each of [end, signal]) each.addEventListener('abort', onAbort);
    if (end.aborted || signal.aborted) onAbort();
    try {
      const isHolder = await this.#ask('HEAD', place, controller.signal);
      if (!isHolder) failures.isAbsent = true;
      return isHolder;
    } catch (error) {
      if (error instanceof SourceFault) {
        this.#failed(place, error);
        failures.add(place.source, error);
      }
      return false;
    } finally {
      for (const each of [end, signal]) each.removeEventListener('abort', onAbort);
    }
  }

  async #responseTime(endpoint: string, signal: AbortSignal): Promise<number> {
    let startedMs = 0;
    const place = { source: endpoint, counted: endpoint, url: versionUrl(endpoint) };
    await this.#ask('GET', place, signal, () => {
      startedMs = this.#monotonicMs();
    });
    return this.#monotonicMs() - startedMs;
  }

  async #ask(method: 'HEAD' | 'GET', { url }: Place, signal: AbortSignal, onStart = () => {}): Promise<boolean> {
    const giveBack = await this.#slots.take(signal);
    try {
      onStart();
      return await isThere(method, url, { ...this.#options, maxRedirects: 0, signal });
    } finally {
      giveBack();
    }
  }

  async #open({ id, size, origin }: SourceObject, place: Place, options: FetchOptions): Promise<Fetched> {
    const { from, to, tag, signal } = options;
    const { source, counted, url } = place;
    const giveBack = await this.#slots.take(signal);
    const startedMs = this.#monotonicMs();
    try {
      this.#metrics.request(counted);
      const isNode = origin.kind === 'storage';
      const opened = await openRange(url, {
        ...this.#options,
        ...{ from, to, size, signal },
        // The bytes of a node are judged by their hash.
        tag: isNode ? null : tag,
        ...(isNode && { maxRedirects: 0 }),
        onBytes: (bytes) => this.#metrics.bytes(counted, bytes),
      });
      this.#metrics.head(counted, (this.#monotonicMs() - startedMs) / 1000);
      if (isNode) this.#remembered?.set(id, source);
      const { body } = opened;
      body.once('end', () => this.#avoided.works(source));
      onceClosed(body, () => {
        giveBack();
        if (!(body.errored instanceof SourceFault)) return;
        this.#remembered?.delete(id);
        this.#failed(place, body.errored);
      });
      return { source, size: opened.size, tag: opened.tag, body };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #failed({ source, counted }: Place, fault: SourceFault): void {
    if (fault.kind === 'absent' || fault.kind === 'changed') return;
    this.#metrics.failure(counted);
    this.#avoid(source, fault);
  }

  #avoid(source: string, fault: SourceFault): void {
    if (this.#isStopped) return;
    if (this.#avoided.of(source) === 'no') this.#options.log.warn(`A source is avoided: ${source} ${fault.message}`);
    this.#avoided.add(source, fault);
  }

  /** Name in the metrics: an endpoint has its own row, a URL counts for its origin. */
  #countedAs(source: string): string {
    return this.#metrics.has(source) ? source : originOf(source);
  }
}

const nodePlace = (endpoint: string, objectId: string): Place => ({
  ...{ source: endpoint, counted: endpoint, url: fileUrl(endpoint, objectId) },
});

function onceClosed(body: Readable, listener: () => void): void {
  if (body.closed) listener();
  else body.once('close', listener);
}

const stopped = (): SourcesFailed => new SourcesFailed('The node is shutting down', false);
