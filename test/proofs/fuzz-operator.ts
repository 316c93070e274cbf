// Hostile requests to the operator API, each with the statuses that the order of judgement leaves for it.
import { createHmac } from 'node:crypto';
import type { Dice } from './dice.ts';
import { type Attack, allowedBy, certain, type Framed, perhaps, rightly, type Verdict, wrongly } from './fuzz-http.ts';

export interface OperatorTarget {
  readonly secret: string;
  readonly id: string;
  readonly maxBodyBytes: number;
}

/** In the order of judgement: the parser, Host, path, method, token, scope, type, size, JSON, what the token was made for, schema. */
const rank = {
  parser: 0,
  host: 1,
  path: 2,
  method: 3,
  token: 4,
  scope: 5,
  type: 6,
  size: 7,
  json: 8,
  bound: 9,
  schema: 10,
};

/** Harmless when they succeed: the others would stop the node under test. */
const harmless = ['set-worker', 'set-buckets', 'start-api'] as const;
const harmful = ['stop-api', 'shutdown'] as const;

/** Found in no answer and no log. */
export const canary = 'cAnArY-0f-A-t0ken';

interface Trait<T> {
  readonly name: string;
  readonly value: T;
  readonly verdict: Verdict | null;
}

/** @param isLast false: another request follows on the same connection, so that this one ends where it says */
export function operatorAttack(dice: Dice, target: OperatorTarget, isLast = true): Attack {
  const oddity = dice.below(7);
  const oddities = new Set([oddity, ...(dice.chance(0.3) ? [dice.below(7)] : [])]);
  const is = (index: number) => oddities.has(index);
  const command = dice.pick([...harmless, ...harmful]);

  const host = is(0) ? oddHost(dice) : plain(['Host: localhost']);
  const path = is(1) ? oddPath(dice, command) : plain(`/api/v1/${command}`);
  const method = is(2) ? oddMethod(dice) : plain('POST');
  const body = is(3) ? oddBody(dice, target) : plain(bodyFor(command, dice));
  const type = is(4) ? oddType(dice, body.value) : plain(['Content-Type: application/json']);
  const framed = is(5) && isLast ? wrongly(body.value, dice) : rightly(body.value, dice);
  const token = is(6)
    ? oddToken(dice, target, path.value, body.value)
    : goodToken(dice, target, path.value, body.value);

  const traits: readonly { readonly name: string; readonly verdict: Verdict | null }[] = [
    ...[host, path, method, body, type, framed, token],
  ];
  const verdicts = traits.map(({ verdict }) => verdict);
  const allowed = allowedBy(verdicts, [200, 409]);
  // No request may succeed with these: the token is left out as well.
  const mayStop = harmful.includes(command as 'shutdown') && allowed.includes(200);
  const authorization = mayStop ? [] : token.value;
  const bytes = requestOf(method.value, path.value, [...host.value, ...type.value, ...authorization], framed, isLast);
  return {
    name: [command, ...traits.map(({ name }) => name)].filter((name) => name !== '').join(', '),
    port: 'operator',
    bytes,
    allowed: [mayStop ? allowedBy([...verdicts, certain(rank.token, 401)], []) : allowed],
    isIncomplete: framed.isIncomplete ?? false,
    // Node closes a CONNECT without an answer where no handler is registered.
    isWhole: isLast && framed.verdict === null && method.value !== 'CONNECT',
  };
}

const plain = <T>(value: T): Trait<T> => ({ name: '', value, verdict: null });

export function requestOf(
  method: string,
  path: string,
  headers: readonly string[],
  framed: Framed,
  isLast: boolean,
): Buffer {
  const { eol = '\r\n', body } = framed;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...headers,
    ...framed.headers,
    ...(isLast ? ['Connection: close'] : []),
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join(eol), 'latin1'), body]);
}

function bodyFor(command: string, dice: Dice): Buffer {
  if (command === 'set-worker') return Buffer.from(JSON.stringify({ workerId: dice.pick([0, 0, 0, 1]) }));
  if (command === 'set-buckets' && dice.chance(0.5)) return Buffer.from(JSON.stringify({ buckets: ['1:0', '2:0'] }));
  return Buffer.from(dice.pick(['', '{}', ' { } ']));
}

function oddHost(dice: Dice): Trait<string[]> {
  const no = certain(rank.host, 403);
  const hosts: Trait<string[]>[] = [
    ...['localhost:1', 'LOCALHOST', '127.9.9.9:80', '[::1]', 'localhost.'].map((name) => plain([`Host: ${name}`])),
    ...[
      'evil.example',
      'localhost.evil.example',
      'user@localhost',
      '127.0.0.1.nip.io',
      'a/localhost',
      '[::2]',
      '%6c',
    ].map((name) => ({ name: `Host ${name}`, value: [`Host: ${name}`], verdict: no })),
    { name: 'no Host', value: [], verdict: certain(rank.parser, 400) },
    { name: 'empty Host', value: ['Host:'], verdict: perhaps(rank.host, 400, 403) },
    { name: 'two Hosts', value: ['Host: localhost', 'Host: evil.example'], verdict: certain(rank.host, 400, 403) },
    ...['null', 'http://evil.example', 'file://', 'http://localhost@evil.example', 'x'.repeat(5000)].map((origin) => ({
      name: `Origin ${origin.slice(0, 30)}`,
      value: ['Host: localhost', `Origin: ${origin}`],
      verdict: no,
    })),
    plain(['Host: localhost', 'Origin: http://localhost:9999']),
  ];
  return dice.pick(hosts);
}

function oddPath(dice: Dice, command: string): Trait<string> {
  const ours = `/api/v1/${command}`;
  const unknown = [
    `${ours}/`,
    ours.toUpperCase(),
    `//api/v1/${command}`,
    `/api/v1/x/../${command}`,
    `/%61pi/v1/${command}`,
  ];
  const junk = [
    `${ours}%00`,
    `/api/v2/${command}`,
    `${ours};x=1`,
    '*',
    '/..%2f..%2fetc%2fpasswd',
    `/x${dice.text(40, 0x24)}`,
    ours.slice(0, -1),
  ];
  const paths: Trait<string>[] = [
    ...[...unknown, ...junk].map((value) => ({
      name: `path ${value}`,
      value,
      verdict: perhaps(rank.path, 400, 404, 405),
    })),
    { name: 'high bytes', value: `${ours}\xff\xfe`, verdict: perhaps(rank.parser, 400, 404) },
    { name: 'control bytes', value: `${ours}\x01`, verdict: certain(rank.parser, 400) },
    { name: 'space in path', value: `${ours} x`, verdict: certain(rank.parser, 400) },
    { name: 'no slash', value: 'api', verdict: perhaps(rank.parser, 400, 404) },
    { name: 'long path', value: `/${'a'.repeat(100_000)}`, verdict: certain(rank.path, 404) },
    { name: 'too long path', value: `/${'a'.repeat(600_000)}`, verdict: certain(rank.parser, 431) },
    { name: 'elsewhere', value: `http://evil.example${ours}`, verdict: certain(rank.host, 403) },
    { name: 'query', value: `${ours}?${dice.text(20, 0x24)}`, verdict: perhaps(rank.schema, 400) },
    { name: 'a dry run', value: `${ours}?dryRun=true`, verdict: null },
  ];
  return dice.pick(paths);
}

function oddMethod(dice: Dice): Trait<string> {
  const methods: Trait<string>[] = [
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY'].map((value) => ({
      name: value,
      value,
      verdict: perhaps(rank.parser, 400, 405),
    })),
    // It is closed without an answer.
    { name: 'CONNECT', value: 'CONNECT', verdict: perhaps(rank.parser, 400, 403, 404, 405) },
    ...['post', 'FOO', '', 'P\0ST', 'POST POST', '\x16\x03\x01', 'PRI'].map((value) => ({
      name: `method ${JSON.stringify(value)}`,
      value,
      verdict: certain(rank.parser, 400),
    })),
  ];
  const method = dice.pick(methods);
  const isKnown = method.verdict?.certain === false;
  // No command is another than POST.
  return isKnown ? { ...method, verdict: certain(rank.method, 400, 404, 405) } : method;
}

function oddBody(dice: Dice, { maxBodyBytes }: OperatorTarget): Trait<Buffer> {
  const broken = perhaps(rank.json, 400);
  const deep = '['.repeat(1500) + ']'.repeat(1500);
  const bodies: Trait<Buffer>[] = [
    ...['{', '{"workerId":}', 'nul', "{'workerId':1}", '\u0000', '{"workerId":1}}'].map((text) => ({
      name: `body ${text.slice(0, 20)}`,
      value: Buffer.from(text),
      verdict: certain(rank.json, 400),
    })),
    {
      name: 'no UTF-8',
      value: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      verdict: certain(rank.json, 400, 401),
    },
    ...['null', '[]', '"text"', '7', 'true', deep].map((text) => ({
      name: `body ${text}`,
      value: Buffer.from(text),
      verdict: broken,
    })),
    ...[
      '{"workerId":-1}',
      '{"workerId":1.5}',
      '{"workerId":"1"}',
      '{"workerId":1e999}',
      '{"workerId":9007199254740993}',
      '{"buckets":[]}',
      '{"buckets":[1]}',
      '{"buckets":{"length":3}}',
      `{"buckets":["${'x'.repeat(129)}"]}`,
      '{"__proto__":{"workerId":1}}',
      '{"constructor":{"prototype":{}}}',
      '{"workerId":1,"extra":true}',
    ].map((text) => ({
      name: `body ${text.slice(0, 30)}`,
      value: Buffer.from(text),
      verdict: certain(rank.schema, 400),
    })),
    {
      name: 'too large',
      value: Buffer.from(JSON.stringify({ buckets: ['x'.repeat(maxBodyBytes)] })),
      verdict: certain(rank.size, 413),
    },
    { name: 'random', value: Buffer.from(dice.text(200, 1, 255), 'latin1'), verdict: perhaps(rank.json, 400) },
  ];
  return dice.pick(bodies);
}

function oddType(dice: Dice, body: Buffer): Trait<string[]> {
  const types = [
    ...['text/plain', 'application/json/x', 'multipart/form-data; boundary=x', ';', 'a/b;c="', ''].map((type) => [
      `Content-Type: ${type}`,
    ]),
    ...['utf-16', 'x', 'utf-7'].map((charset) => [`Content-Type: application/json; charset=${charset}`]),
    ...['gzip', 'br', 'deflate, gzip', 'x'].map((coding) => [
      'Content-Type: application/json',
      `Content-Encoding: ${coding}`,
    ]),
    [],
  ];
  // An empty body may say what it likes; but a wrong length may make it none.
  const verdict = body.length > 0 ? certain(rank.type, 415) : perhaps(rank.type, 415);
  const value = dice.pick(types);
  return { name: `${value.join(' ')}`, value, verdict };
}

const now = () => Math.floor(Date.now() / 1000);
const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function jwt(header: object, claims: unknown, secret: string, hash = 'sha256'): string {
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const header = { alg: 'HS256', typ: 'JWT' };

/** What a token's `reqBody` has to be; undefined: it is no JSON, so that no token can be made for it. */
function parsed(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function goodToken(dice: Dice, { secret, id }: OperatorTarget, path: string, body: Buffer): Trait<string[]> {
  const times = { iat: now(), exp: now() + 60 };
  const claims = dice.chance(0.5)
    ? { ...times, sub: 'fuzz', ...(dice.chance(0.3) && { aud: [id, 'other'] }) }
    : { ...times, reqUrl: path.replace(/^https?:\/\/[^/]*/, ''), reqBody: parsed(body) ?? {}, jti: `${dice.next()}` };
  const value = [`Authorization: ${dice.pick(['Bearer', 'bearer', 'BEARER'])} ${jwt(header, claims, secret)}`];
  // Where a body is no JSON, or another one after parsing, a token for one request may not fit.
  return { name: '', value, verdict: 'reqUrl' in claims ? perhaps(rank.token, 401) : null };
}

function oddToken(dice: Dice, { secret, id }: OperatorTarget, path: string, body: Buffer): Trait<string[]> {
  const times = { iat: now(), exp: now() + 60 };
  const request = { ...times, reqUrl: path, reqBody: parsed(body) ?? {} };
  const no = certain(rank.token, 401);
  const made = (name: string, token: string, verdict: Verdict | null = no): Trait<string[]> => ({
    name,
    value: [`Authorization: Bearer ${token}`],
    verdict,
  });
  const claimed = (name: string, claims: unknown, verdict: Verdict | null = no) =>
    made(name, jwt(header, claims, secret), verdict);
  const used = jwt(header, { ...request, jti: 'the same for ever' }, secret);
  const tokens: Trait<string[]>[] = [
    { name: 'no token', value: [], verdict: no },
    ...[
      '',
      'Bearer',
      'Basic YTpi',
      `Bearer ${canary}`,
      `Bearer ${canary} ${canary}`,
      `Bearer\t${canary}`,
      dice.text(60, 0x80, 0xff),
    ].map((value) => ({ name: 'odd header', value: [`Authorization: ${value}`], verdict: no })),
    made('alg none', `${base64url({ alg: 'none' })}.${base64url(times)}.`),
    ...['HS384', 'HS512', 'RS256', 'ES256', 'hs256', 'A128KW'].map((alg) =>
      made(`alg ${alg}`, jwt({ alg }, times, secret)),
    ),
    made('HS512 rightly', jwt({ alg: 'HS512' }, times, secret, 'sha512')),
    ...['', 'wrong', `${secret}x`, secret.slice(1)].map((key) => made('wrong key', jwt(header, times, key))),
    made('crit', jwt({ ...header, crit: ['exp'] }, times, secret)),
    made('b64', jwt({ ...header, b64: false, crit: ['b64'] }, times, secret), perhaps(rank.token, 401)),
    made('jku', jwt({ ...header, jku: 'http://evil.example', kid: '../../etc/passwd', jwk: {} }, times, secret), null),
    made('signature cut', jwt(header, times, secret).slice(0, -2)),
    made('parts', `${jwt(header, times, secret)}.${canary}`),
    made('header of nonsense', `${base64url('{"alg":')}.${base64url(times)}.${canary}`),
    made('signed nonsense', jwt(header, 'no JSON', secret)),
    ...[null, [], 'text', 7].map((claims) => claimed('claims are no object', claims)),
    claimed('expired', { iat: now() - 600, exp: now() - 1 }),
    claimed('not yet', { ...times, nbf: now() + 600 }),
    claimed('no exp', { iat: now() }),
    claimed('no iat', { exp: now() + 60 }),
    claimed('odd times', { iat: dice.pick(['now', null, {}, true]), exp: dice.pick(['then', null, [], false]) }),
    claimed('wrong aud', { ...times, aud: dice.pick(['other', '', [], null, 7]) }),
    claimed('right aud', { ...times, aud: id }, null),
    claimed('odd sub', { ...times, sub: dice.pick([7, null, {}, []]) }),
    claimed('long sub', { ...times, sub: 'x'.repeat(100_000) }, null),
    claimed('sub with controls', { ...times, sub: '\u001b[2J\n{"level":60}\u0000' }, null),
    claimed('odd scope', { ...times, scope: dice.pick(['admin', '', 7, null, ['operate']]) }),
    claimed('reads only', { ...times, scope: 'read' }, certain(rank.scope, 403)),
    claimed('other URL', { ...request, reqUrl: '/api/v1/state' }),
    claimed('no URL', { ...times, reqBody: {} }),
    claimed('too old', { ...request, iat: now() - 400 }),
    claimed('from the future', { ...request, iat: now() + 300, exp: now() + 400 }),
    claimed('other body', { ...request, reqBody: { workerId: 77 } }, certain(rank.bound, 401)),
    claimed('other hash', { ...times, reqUrl: path, reqBodyHash: canary }, certain(rank.bound, 401)),
    made('used', used, perhaps(rank.token, 401)),
  ];
  return dice.pick(tokens);
}
