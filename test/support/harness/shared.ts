// What every node of a test has: its id, its secret, settings and deadlines that a busy machine does not reach, and tokens for it.
import { tmpdir } from 'node:os';
import { SignJWT } from 'jose';
import type { Deadlines } from '../../../machines/node.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { eventLimits } from '../../../src/operator/events/event-limits.ts';

export const nodeId = 'test-node';

/** As a config has it, and its bytes. */
export const secret = 'an-operator-secret-of-more-than-32-bytes';
export const signingKey = Buffer.from(secret);

/** Longer than any test: one that is about a deadline sets its own. */
export const longMs = 600_000;

/** Of a node in this process. What a deadline does is tested with the machine alone. */
export const longDeadlines: Deadlines = {
  listenMs: longMs,
  restoreMs: longMs,
  lameDuckMs: 0,
  closeMs: longMs,
  saveMs: longMs,
  saveRetryMs: longMs,
  configureMs: longMs,
  drainMs: longMs,
  leaveMs: longMs,
  answerMs: longMs,
};

const { operatorApi } = loadConfig({ env: {}, cwd: tmpdir() });
if (operatorApi === null) throw new Error('The default config has an operator API');

/** Of an operator API in this process: the default config, except for what a test needs. */
export const operatorSettings = {
  ...operatorApi,
  ...eventLimits,
  port: 0,
  allowedHosts: ['node.example'],
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  bodyWaitMs: 60_000,
  keepAliveTimeoutMs: longMs,
  maxConnections: 100,
};

/** Of a node in processes of its own: keys of its config file. */
export const processSettings = {
  id: nodeId,
  workerId: 0,
  publicApi: { host: '127.0.0.1', workers: 1, niceness: 0, workerTimeoutMs: 30_000 },
  operatorApi: { port: 0, hmacSecret: secret },
  stateFile: { saveTimeoutMs: 30_000 },
  supervision: { startTimeoutMs: 60_000 },
  content: { timeoutMs: 60_000 },
};

export interface Signing {
  readonly alg?: string;
  readonly key?: Uint8Array;
}

/** Signed without the code under test; an `undefined` claim is left out. */
export const signClaims = (claims: object, { alg = 'HS256', key = signingKey }: Signing = {}): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key);

/** A token for any number of requests. `lifetimeSec`: a day, unless a test wants another. */
export const accessToken = (
  { lifetimeSec = 24 * 3600, ...claims }: { readonly lifetimeSec?: number; readonly [claim: string]: unknown } = {},
  nowMs = Date.now(),
): Promise<string> => signClaims({ ...validFor(lifetimeSec, nowMs), ...claims });

/** A token for one request: the name of a command, or of another route. */
export const requestToken = (
  name: string,
  body: unknown = {},
  claims: object = {},
  nowMs = Date.now(),
): Promise<string> => signClaims({ reqUrl: `/api/v1/${name}`, reqBody: body, ...validFor(60, nowMs), ...claims });

function validFor(lifetimeSec: number, nowMs: number): { readonly iat: number; readonly exp: number } {
  const iat = Math.floor(nowMs / 1000);
  return { iat, exp: iat + lifetimeSec };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const json = { 'content-type': 'application/json' };
