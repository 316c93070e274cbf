// The order of checks: of two errors in one request, the earlier check answers.
import { expect } from 'chai';
import { type Call, json, type OperatorSide, startOperatorSide } from '../../support/harness.ts';

interface Request extends Call {
  readonly path: string;
}

/** A defect makes a valid request invalid; some need a request token. */
interface Defect {
  readonly name: string;
  readonly status: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Of the token. */
  readonly claims?: object;
  readonly needsRequestToken?: boolean;
}

const tooLong = JSON.stringify({ buckets: ['x'.repeat(5000)] });

/** In the order of the checks. */
const defects: readonly Defect[] = [
  { name: 'foreign Host', status: 403, headers: { host: 'evil.example' } },
  { name: 'foreign Origin', status: 403, headers: { origin: 'http://evil.example' } },
  { name: 'unknown path', status: 404, path: '/api/v1/set-bucket' },
  { name: 'method', status: 405, method: 'PUT' },
  { name: 'token', status: 401, claims: { exp: 1 } },
  { name: 'scope', status: 403, claims: { scope: 'read' } },
  { name: 'media type', status: 415, headers: { 'content-type': 'text/plain' } },
  { name: 'length', status: 413, body: tooLong },
  { name: 'syntax', status: 400, body: '{"workerId": ' },
  { name: 'body of another request', status: 401, claims: { reqBody: { workerId: 8 } }, needsRequestToken: true },
  { name: 'schema', status: 400, body: '{"workerId": -1}' },
];

describe('the order of judgement', () => {
  let operator: OperatorSide;
  before(async () => {
    operator = await startOperatorSide({ settings: { maxBodyBytes: 4096 } });
  });
  after(() => operator.close());

  async function answerTo(...present: Defect[]): Promise<{ status: number; detail: unknown }> {
    const [first, second] = present;
    const path = first?.path ?? second?.path ?? '/api/v1/set-worker';
    const body = first?.body ?? second?.body ?? '{"workerId": 7}';
    const iat = Math.floor(Date.now() / 1000);
    const isBound = present.some(({ needsRequestToken }) => needsRequestToken);
    const claims = {
      iat,
      exp: iat + 60,
      ...(isBound && { reqUrl: path }),
      ...second?.claims,
      ...first?.claims,
    };
    const request: Request = {
      path,
      body,
      method: first?.method ?? second?.method ?? 'POST',
      headers: {
        ...json,
        authorization: `Bearer ${await operator.sign(claims)}`,
        ...second?.headers,
        ...first?.headers,
      },
    };
    const { status, json: document } = await operator.call(request.path, request);
    return { status, detail: document?.detail };
  }

  it('accepts the request without a defect', async () => {
    expect((await answerTo()).status).to.equal(200);
  });

  for (const [index, earlier] of defects.entries()) {
    it(`${earlier.name} is checked before everything after it`, async () => {
      const alone = await answerTo(earlier);
      expect(alone.status).to.equal(earlier.status);
      for (const later of defects.slice(index + 1)) {
        // Two defects of the body exclude each other.
        if (earlier.body !== undefined && later.body !== undefined) continue;
        const { status, detail } = await answerTo(earlier, later);
        expect([status, detail], later.name).to.deep.equal([earlier.status, alone.detail]);
      }
    });
  }

  it('ends with the machine', async () => {
    const unused = await operator.command('start-api', { surplus: 1 });
    expect(unused.status).to.equal(400);
    expect((await operator.command('start-api', {})).status).to.equal(409);
  });
});
