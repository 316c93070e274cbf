// A whole operator API on a real port, in this process, around the real machine with effects that succeed at once.
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { pino } from 'pino';
import type { DesiredState } from '../../../machines/settings.ts';
import type { Condition } from '../../../src/base/condition.ts';
import { version } from '../../../src/base/version.ts';
import { createClient } from '../../../src/client/http-client.ts';
import type { ConditionSource } from '../../../src/control/conditions.ts';
import type { ObservableNode } from '../../../src/control/node-control.ts';
import { Node, type NodeParts } from '../../../src/control/node-runner.ts';
import { noServerMetrics } from '../../../src/metrics/counters.ts';
import type { AuditEntry } from '../../../src/operator/audit/audit-entry.ts';
import { Events } from '../../../src/operator/events/events.ts';
import { type ListenSettings, listen } from '../../../src/operator/http/listen.ts';
import { createOperatorApi, type OperatorApiParts } from '../../../src/operator/http/operator-api.ts';
import { UnderWay } from '../../../src/operator/http/under-way.ts';
import type { PublicSide } from '../../../src/supervisor/public-side.ts';
import { ContentSideTwin } from '../content-side-twin.ts';
import { expectDescribed } from '../described.ts';
import {
  accessToken,
  bearer,
  json,
  longDeadlines,
  nodeId,
  operatorSettings,
  requestToken,
  signClaims,
  signingKey,
} from './shared.ts';

export interface OperatorSideOptions
  extends Partial<Pick<OperatorApiParts, 'node' | 'publicSide' | 'now' | 'usedTokens' | 'health'>> {
  /** The node whose events are sent, if it is another one than `node`. */
  readonly observed?: ObservableNode;
  readonly settings?: Partial<ListenSettings & typeof operatorSettings>;
  /** What the config wants, beside a running public API. */
  readonly config?: Partial<DesiredState>;
  /** `silent` for a test that sends thousands of requests. Default: every line is kept in `logLines`. */
  readonly logLevel?: 'trace' | 'silent';
}

export interface OperatorResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of a JSON answer; else null. */
  readonly json: Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Sent in chunks, without a length. */
  readonly chunked?: boolean;
}

export type OperatorSide = Awaited<ReturnType<typeof startOperatorSide>>;

export async function startOperatorSide(options: OperatorSideOptions = {}) {
  const settings = { ...operatorSettings, ...options.settings };
  const { now = Date.now, logLevel = 'trace' } = options;
  const logLines: string[] = [];
  const audits: AuditEntry[] = [];
  const log = pino(
    { level: logLevel, customLevels: { http: 25 } },
    { write: (line: string) => void logLines.push(line) },
  );
  const effects = { listen: async (): Promise<void> => {} };
  /** What is wrong, as a test wants it; and what would be, given the settings. */
  const conditions: Condition[] = [];
  const conditionSources: ConditionSource[] = [() => conditions];
  const content = new ContentSideTwin();
  const observed = options.observed ?? (await startNode(effects, options.config, conditionSources, content));
  const counts = () => ({ requests: 7, bytesSent: 42, downloadsInProgress: 0 });
  const events = new Events({ node: observed, counts, limits: settings, now });
  const underWay = new UnderWay();
  /** The node that answers: a test may replace it. */
  const subject: { node: OperatorApiParts['node'] } = { node: options.node ?? observed };
  const app = createOperatorApi({
    node: follow(() => subject.node),
    publicSide: options.publicSide ?? stillSide,
    config: { id: nodeId, operatorApi: settings },
    secret: signingKey,
    isBucketId: (id) => id.length > 0 && id.length <= 128,
    log,
    now,
    audit: (entry) => {
      audits.push(entry);
      events.command(entry);
    },
    health: options.health ?? (() => observed.health),
    events,
    underWay,
    ...(options.usedTokens && { usedTokens: options.usedTokens }),
  });
  const listener = await listen(app, settings, log);

  /** One request on a connection of its own; nothing is added to it but `Host` and the length. */
  const call = (path: string, { method = 'POST', headers = {}, body = '', chunked = false }: Call = {}) =>
    new Promise<OperatorResponse>((resolve, reject) => {
      const framing = chunked
        ? { 'transfer-encoding': 'chunked' }
        : body.length > 0
          ? { 'content-length': String(Buffer.byteLength(body)) }
          : {};
      const outgoing = request(
        { port: listener.port, host: '127.0.0.1', method, path, headers: { ...framing, ...headers }, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const { statusCode = 0, headers: received } = response;
            const json = received['content-type']?.includes('json') && text !== '' ? JSON.parse(text) : null;
            try {
              expectDescribed('operator', { method, path, status: statusCode, headers: received, text });
              resolve({ status: statusCode, headers: received, text, json });
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body.length > 0 ? body : undefined);
    });

  /** Bytes as they are; resolves with all that comes back until the connection ends. */
  const raw = (bytes: string | Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(listener.port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
      socket.on('error', reject);
      socket.write(bytes);
    });

  const access = (claims: object = {}) => accessToken({ ...claims }, now());
  const forRequest = (name: string, body?: unknown, claims?: object) => requestToken(name, body, claims, now());

  /** A command with a fresh access token, or the one given; its body as JSON. */
  const command = async (name: string, body?: unknown, token?: string): Promise<OperatorResponse> =>
    call(`/api/v1/${name}`, {
      headers: { ...bearer(token ?? (await access())), ...(body !== undefined && json) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  return {
    ...{ call, raw, command, sign: signClaims, access, forRequest },
    ...{
      subject,
      observed,
      content,
      effects,
      conditions,
      conditionSources,
      audits,
      logLines,
      listener,
      events,
      underWay,
    },
    url: listener.url,
    /** As operators have it, with one token for the whole test. */
    client: createClient({ url: listener.url, token: await access(), timeoutMs: 60_000 }),
    close: () => {
      events.end(0);
      return listener.close(1000);
    },
  };
}

/** Delegates everything to the current node. */
const follow = <T extends object>(present: () => T): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      const target = present();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/** A public side that does nothing and never fails. */
export const stillSide: PublicSide = {
  start() {},
  prepare() {},
  configure: async () => {},
  useIndex() {},
  hasIndex: Promise.resolve(),
  indexWasRead: true,
  listen: async () => {},
  close: async () => ({ drain: null }),
  retire() {},
  cut() {},
  kill() {},
  end: async () => {},
  workers: [],
  conditions: [],
  drain: null,
  activity: { requests: 0, bytesSent: 0, downloadsInProgress: 0, drains: [] },
  serverMetrics: noServerMetrics,
  losses: {},
  port: 3334,
  subscribe: () => () => {},
};

/** A node whose public side does everything at once and never fails, unless `effects` say otherwise. */
export async function startNode(
  effects: { listen: () => Promise<void> },
  config: Partial<DesiredState> = {},
  conditions: readonly ConditionSource[] = [],
  contentSide = new ContentSideTwin(),
): Promise<Node> {
  const node = makeNode({
    contentSide,
    publicSide: { ...stillSide, listen: () => effects.listen() },
    config: { ...firstConfig, ...config },
    conditions,
  });
  await node.restore();
  return node;
}

const firstConfig: DesiredState = { publicApi: 'running', workerId: null, buckets: null };

/** A node that is not restored yet. */
export const makeNode = (parts: Partial<NodeParts> = {}): Node =>
  new Node({
    id: nodeId,
    version,
    publicSide: stillSide,
    save: async () => {},
    answer: async () => {},
    conditions: [],
    contentSide: new ContentSideTwin(),
    maxPreviewIds: 100,
    endpoints: () => ({ publicApi: 'http://0.0.0.0:3334', operatorApi: null }),
    config: firstConfig,
    deadlines: longDeadlines,
    ...parts,
  });
