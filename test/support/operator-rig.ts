// A whole operator API on a real port, around the real machine with effects that succeed at once.
import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import type { DesiredState } from '../../machines/settings.ts';
import type { Condition } from '../../src/base/condition.ts';
import { version } from '../../src/base/version.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { ConditionSource } from '../../src/control/conditions.ts';
import type { ObservableNode } from '../../src/control/node-control.ts';
import { Node } from '../../src/control/node-runner.ts';
import { noServerMetrics } from '../../src/metrics/counters.ts';
import type { AuditEntry } from '../../src/operator/audit/audit-entry.ts';
import { eventLimits } from '../../src/operator/events/event-limits.ts';
import { Events } from '../../src/operator/events/events.ts';
import { type ListenSettings, listen } from '../../src/operator/http/listen.ts';
import { createOperatorApi, type OperatorApiParts } from '../../src/operator/http/operator-api.ts';
import type { PublicSide } from '../../src/supervisor/public-side.ts';
import { expectDescribed } from './described.ts';

export const secret = Buffer.from('an operator secret of more than 32 bytes');

const { operatorApi } = loadConfig({ env: {}, cwd: tmpdir() });
if (operatorApi === null) throw new Error('The default config has an operator API');

/** The default config, but for what a test needs. */
export const settings = {
  ...operatorApi,
  ...eventLimits,
  port: 0,
  allowedHosts: ['node.example'],
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  bodyWaitMs: 60_000,
  maxConnections: 100,
};

export interface RigOptions
  extends Partial<Pick<OperatorApiParts, 'node' | 'publicSide' | 'secret' | 'now' | 'usedTokens' | 'health'>> {
  /** The node whose events are sent, if it is not `node`. */
  readonly observed?: ObservableNode;
  readonly settings?: Partial<ListenSettings & typeof settings>;
  /** What the config wants, beyond a running public API. */
  readonly desired?: Partial<DesiredState>;
}

export interface Answer {
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

export type Rig = Awaited<ReturnType<typeof startRig>>;

export async function startRig(options: RigOptions = {}) {
  const all = { ...settings, ...options.settings };
  const logLines: string[] = [];
  const audits: AuditEntry[] = [];
  const log = pino(
    { level: 'trace', customLevels: { http: 25 } },
    { write: (line: string) => void logLines.push(line) },
  );
  const now = options.now ?? Date.now;
  const effects = { listen: async (): Promise<void> => {} };
  /** What is wrong, as a test wants it; and what would be, given the settings. */
  const conditions: Condition[] = [];
  const conditionSources: ConditionSource[] = [() => conditions];
  const observed =
    options.observed ?? (await startNode(effects, { desired: options.desired ?? {}, conditions: conditionSources }));
  const node = options.node ?? observed;
  const key = options.secret ?? secret;
  const counts = () => ({ requests: 7, bytesSent: 42, downloadsInProgress: 0 });
  const events = new Events({ node: observed, counts, limits: all, now });
  const app = createOperatorApi({
    node,
    publicSide: options.publicSide ?? stillSide,
    config: { id: 'my-node', operatorApi: all },
    secret: key,
    isBucketId: (id) => id.length > 0 && id.length <= 128,
    log,
    now,
    audit: (entry) => {
      audits.push(entry);
      events.command(entry);
    },
    health: options.health ?? (() => observed.health),
    events,
    ...(options.usedTokens && { usedTokens: options.usedTokens }),
  });
  const listener = await listen(app, all, log);

  /** One request on a connection of its own; nothing is added to it but `Host` and the length. */
  const call = (path: string, { method = 'POST', headers = {}, body = '', chunked = false }: Call = {}) =>
    new Promise<Answer>((resolve, reject) => {
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

  const seconds = () => Math.floor(now() / 1000);
  const sign = (claims: object, alg = 'HS256', by: Uint8Array = key) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(by);
  const access = (claims: object = {}) => sign({ iat: seconds(), exp: seconds() + 60, ...claims });
  const forRequest = (name: string, body: unknown = {}, claims: object = {}) =>
    sign({ reqUrl: `/api/v1/${name}`, reqBody: body, iat: seconds(), exp: seconds() + 60, ...claims });

  /** A command with a fresh access token, or the one given; its body as JSON. */
  const command = async (name: string, body?: unknown, token?: string): Promise<Answer> =>
    call(`/api/v1/${name}`, {
      headers: { ...bearer(token ?? (await access())), ...(body !== undefined && json) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  return {
    ...{
      call,
      raw,
      command,
      sign,
      access,
      forRequest,
      node,
      observed,
      effects,
      conditions,
      conditionSources,
      audits,
      logLines,
      listener,
      events,
    },
    url: listener.url,
    close: () => {
      events.end(0);
      return listener.close(1000);
    },
  };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const json = { 'content-type': 'application/json' };
export const hashOf = (bytes: string): string => createHash('sha256').update(bytes).digest('base64url');

/** A public side that does nothing and never fails. */
export const stillSide: PublicSide = {
  start() {},
  prepare() {},
  configure: async () => {},
  publish: async () => {},
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
export async function startNode(effects: { listen: () => Promise<void> }, options: NodeOptions = {}) {
  const node = makeNode({ ...stillSide, listen: () => effects.listen() }, options);
  await node.restore();
  return node;
}

export interface NodeOptions {
  readonly desired?: Partial<DesiredState>;
  readonly conditions?: readonly ConditionSource[];
  readonly lameDuckMs?: number;
}

/** A node that has not begun yet. */
export function makeNode(
  publicSide: PublicSide,
  { desired = {}, conditions = [], lameDuckMs = 0 }: NodeOptions = {},
): Node {
  const ms = 600_000;
  return new Node({
    id: 'my-node',
    version,
    publicSide,
    save: async () => {},
    answer: async () => {},
    conditions,
    coverageChange: async (before, after) => {
      const none = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };
      const one = { count: 1, bytes: 7, sizeUnknown: 0, ids: ['42'] };
      return { dropped: none, gained: before.workerId === after.workerId ? none : one };
    },
    bucketsOf: (workerId) => [`${workerId}:0`, `${workerId}:1`],
    endpoints: () => ({ publicApi: 'http://0.0.0.0:3334', operatorApi: null }),
    config: { publicApi: 'running', workerId: null, buckets: null, ...desired },
    deadlines: {
      listenMs: ms,
      restoreMs: ms,
      lameDuckMs,
      closeMs: ms,
      saveMs: ms,
      saveRetryMs: ms,
      configureMs: ms,
      drainMs: ms,
      leaveMs: ms,
      answerMs: ms,
    },
  });
}
