// Hostile requests to the public API, each with the statuses that its contract leaves for it.
import type { Dice } from './dice.ts';
import { type Attack, allowedBy, certain, type Framed, perhaps, rightly, type Verdict, wrongly } from './fuzz-http.ts';
import { requestOf } from './fuzz-operator.ts';

const rank = { parser: 0, path: 1, body: 2, method: 3 };

interface Trait<T> {
  readonly name: string;
  readonly value: T;
  readonly verdict: Verdict | null;
}

/** What an asset may be answered with; 421 and 404 because the buckets change during the test. */
const assetStatuses = [200, 206, 304, 404, 412, 416, 421];

export function publicAttack(dice: Dice, isLast = true): Attack {
  const path = dice.chance(0.5) ? known(dice) : oddPath(dice);
  const method = dice.chance(0.7) ? { name: '', value: dice.pick(['GET', 'HEAD']), verdict: null } : oddMethod(dice);
  const headers = Array.from({ length: dice.below(4) }, () => oddHeader(dice));
  const body = Buffer.from(dice.text(dice.pick([0, 10, 2000])));
  const framed: Framed =
    isLast && dice.chance(0.2)
      ? wrongly(body, dice)
      : dice.chance(0.2)
        ? rightly(body, dice)
        : { name: '', headers: [], body: Buffer.alloc(0), verdict: null };
  const traits = [path, method, framed];
  return {
    name: [...traits.map(({ name }) => name), ...headers].filter((name) => name !== '').join(', '),
    port: 'public',
    bytes: requestOf(method.value, path.value, ['Host: anything.example', ...headers], framed, isLast),
    // No request needs a body; a long one, or one of unknown length, is not read.
    allowed: [
      allowedBy(
        [...traits.map(({ verdict }) => verdict), framed.headers.length > 0 ? perhaps(rank.body, 413) : null],
        path.statuses,
      ),
    ],
    isIncomplete: framed.isIncomplete ?? false,
    // Node closes a CONNECT without an answer where no handler is registered.
    isWhole: isLast && framed.verdict === null && method.value !== 'CONNECT',
  };
}

function known(dice: Dice): Trait<string> & { readonly statuses: readonly number[] } {
  const value = dice.pick([
    '/api/v1/assets/1',
    '/api/v1/assets/2',
    '/api/v1/assets/999',
    '/api/v1/status',
    '/api/v1/buckets',
    '/readyz',
  ]);
  const statuses = value.includes('assets') ? assetStatuses : [200, 304];
  return { name: value, value: dice.chance(0.2) ? `${value}?${dice.text(30, 0x24)}` : value, verdict: null, statuses };
}

function oddPath(dice: Dice): Trait<string> & { readonly statuses: readonly number[] } {
  const unknown = perhaps(rank.parser, 400, 404);
  const assets = '/api/v1/assets/';
  const values = [
    ...[
      '-1',
      '1e1',
      '0x1',
      '1/',
      '1%00',
      '%31',
      '..%2f..%2fetc%2fpasswd',
      '../../../etc/passwd',
      '１',
      '',
      '9'.repeat(5000),
      '01',
      '1;x',
    ].map((id) => `${assets}${Buffer.from(id).toString('latin1')}`),
    ...[
      '/',
      '//',
      '/API/v1/status',
      '/api/v1/status/',
      '*',
      `/${dice.text(60, 0x21)}`,
      '/__proto__',
      '/api/v1/constructor',
    ],
  ];
  const traits: Trait<string>[] = [
    ...values.map((value) => ({ name: `path ${value.slice(0, 40)}`, value, verdict: unknown })),
    { name: 'control bytes', value: `${assets}\x02`, verdict: certain(rank.parser, 400) },
    { name: 'too long', value: `/${'a'.repeat(40_000)}`, verdict: certain(rank.parser, 431) },
    { name: 'absolute', value: `http://other.example${assets}1`, verdict: null },
  ];
  const trait = dice.pick(traits);
  return { ...trait, statuses: [...assetStatuses, 400, 404] };
}

function oddMethod(dice: Dice): Trait<string> {
  const methods: Trait<string>[] = [
    ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'POST'].map((value) => ({
      name: value,
      value,
      verdict: certain(rank.method, 404, 405),
    })),
    { name: 'OPTIONS', value: 'OPTIONS', verdict: certain(rank.method, 204, 404) },
    { name: 'CONNECT', value: 'CONNECT', verdict: certain(rank.method, 400, 404, 405) },
    ...['get', 'FOO', '', '\x16\x03\x01\x02', 'PRI'].map((value) => ({
      name: `method ${JSON.stringify(value)}`,
      value,
      verdict: certain(rank.parser, 400),
    })),
  ];
  return dice.pick(methods);
}

function oddHeader(dice: Dice): string {
  const number = () =>
    dice.pick(['0', '1', '5', '99', '100', '1048575', '9007199254740993', '9'.repeat(30), '-1', '', 'x']);
  const ranges = () => Array.from({ length: dice.pick([1, 1, 2, 300]) }, () => `${number()}-${number()}`).join(',');
  const tag = () => dice.pick(['*', '""', '"x"', 'W/"x"', 'x', `"${'a'.repeat(3000)}"`, '"a", "b"', '","', '"']);
  const date = () => dice.pick([new Date(0).toUTCString(), new Date(4e12).toUTCString(), 'yesterday', '', '0']);
  return dice.pick([
    () => `Range: bytes=${dice.below(900)}-${dice.pick(['', '950', '5'])}`,
    () => `Range: bytes=-${dice.below(2000)}`,
    () => `Range: ${dice.pick(['bytes', 'BYTES', 'lines', ''])}=${ranges()}`,
    () => `Range: ${dice.text(40)}`,
    () => `If-Range: ${dice.chance(0.5) ? tag() : date()}`,
    () => `If-None-Match: ${tag()}`,
    () => `If-Match: ${tag()}`,
    () => `If-Modified-Since: ${date()}`,
    () => `If-Unmodified-Since: ${date()}`,
    () => `Cache-Control: ${dice.pick(['no-cache', 'max-age=-1', 'x='])}`,
    () => `Accept-Encoding: ${dice.pick(['gzip;q=nan', '*', ''])}`,
    () => `Origin: ${dice.text(30)}`,
    () => `X-Request-Id: ${dice.pick(['ok-1', 'a b', '"><script>', 'x'.repeat(70)])}`,
    () => `X-Odd: ${dice.text(80, 0x20, 0xff).replaceAll('\x7f', '')}`,
  ])();
}
