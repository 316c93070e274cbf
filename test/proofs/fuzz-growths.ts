// Requests to the operator API that can be made as large as each limit lets them, in the ways that cost a reader most.

export interface Limits {
  /** Of the whole request head. */
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

export interface Growth {
  /** Which limit it grows to. */
  readonly what: 'path' | 'header' | 'token' | 'body';
  readonly name: string;
  /** Bytes. */
  readonly limit: number;
  /** @param token one with which commands are carried out */
  readonly request: (size: number, token: string) => Buffer;
}

/** Room for the other lines of a head. */
const otherLines = 1000;

export function growths({ maxHeaderBytes, maxBodyBytes }: Limits): Growth[] {
  const limit = maxHeaderBytes - otherLines;
  return [
    ...paths.map((unit) => ({
      ...{ what: 'path' as const, name: `/${unit}…`, limit },
      request: (size: number) => requestOf('GET', `/${filled(unit, size)}`, []),
    })),
    ...headers.map(([begin, unit, path]) => ({
      ...{ what: 'header' as const, name: `${begin}${unit}…`, limit },
      request: (size: number, token: string) => {
        const authorization = begin.startsWith('Authorization') ? [] : [`Authorization: Bearer ${token}`];
        const line = begin === 'many' ? filled('X: 1\r\n', size) : `${begin}${filled(unit, size)}\r\n`;
        return requestOf('GET', path ?? '/api/v1/state', authorization, Buffer.alloc(0), line);
      },
    })),
    ...tokens.map(([name, tokenOf]) => ({
      ...{ what: 'token' as const, name, limit },
      request: (size: number) => requestOf('POST', '/api/v1/start-api', [`Authorization: Bearer ${tokenOf(size)}`]),
    })),
    ...bodies.map(([name, bodyOf]) => ({
      ...{ what: 'body' as const, name, limit: maxBodyBytes },
      request: (size: number, token: string) =>
        requestOf(
          'POST',
          '/api/v1/set-buckets?dryRun=true',
          [`Authorization: Bearer ${token}`],
          Buffer.from(bodyOf(size)),
        ),
    })),
  ];
}

/** At most so many characters, of whole units. */
const filled = (unit: string, size: number): string => unit.repeat(Math.max(0, Math.floor(size / unit.length)));

const paths = [
  'eyJ',
  'eyJaaaaa.',
  'a',
  '/',
  '..//',
  '%41',
  '#\\',
  '?a=',
  'api/v1/state?dryRun=',
  'bearer%20',
  "'",
  ':',
];

/** How a line begins, what is repeated in it, and where it is sent. */
const headers: readonly (readonly [begin: string, unit: string, path?: string])[] = [
  ['Host: ', '0a'],
  ['Host: xn--a-', '0a'],
  ['Host: ', '1.'],
  ['Host: ', '[::'],
  ['Origin: http://xn--a-', '0a'],
  ['X-Request-Id: ', 'eyJ'],
  ['Accept: ', 'text/plain;q=1;a,', '/metrics'],
  ['Accept: ', ' ;', '/metrics'],
  ['Accept: ', ','],
  ['If-None-Match: ', '"a", '],
  ['If-None-Match: ', 'W/'],
  ['Cache-Control: ', 'no-cache '],
  ['Content-Type: ', 'a/b; c="\\"'],
  ['Cookie: ', 'a=b; '],
  ['Last-Event-ID: ', '1-'],
  ['Authorization: ', ' '],
  ['Authorization: ', 'Bearer '],
  ['Connection: ', 'a, '],
  ['X-Odd: ', '\t'],
  ['many', 'X: 1'],
];

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

const tokens: readonly (readonly [name: string, of: (size: number) => string])[] = [
  ['eyJ…', (size) => filled('eyJ', size)],
  ['....', (size) => filled('.', size)],
  ['eyJaaaaa.…', (size) => filled('eyJaaaaa.', size)],
  ['a long header', (size) => `${base64url(`{"alg":"HS256","a":"${filled('a', (size * 3) / 4 - 50)}"}`)}.e30.AAAA`],
  ['a header just short enough', (size) => `${filled('W', Math.min(size, 4096))}.${filled('e30', size - 5000)}.AAAA`],
  ['a deep header', (size) => `${base64url(filled('[', (size * 3) / 4 - 50))}.e30.AAAA`],
  ['long claims', (size) => `${base64url('{"alg":"HS256"}')}.${filled('e30', size - 50)}.AAAA`],
  ['a long signature', (size) => `${base64url('{"alg":"HS256"}')}.e30.${filled('A', size - 50)}`],
];

const list = (item: (at: number) => string, size: number): string => {
  const items: string[] = [];
  for (let length = 20, at = 0; length + item(at).length < size; at += 1) {
    items.push(item(at));
    length += item(at).length + 1;
  }
  return `{"buckets":[${items.join(',')}]}`;
};

const bodies: readonly (readonly [name: string, of: (size: number) => string])[] = [
  ['many buckets', (size) => list((at) => `"1:${at}"`, size)],
  ['the same bucket', (size) => list(() => '"1:0"', size)],
  ['no buckets', (size) => list(() => '1', size)],
  ['deep', (size) => filled('[', size / 2) + filled(']', size / 2)],
  ['many keys', (size) => `{${filled('"a":1,', size - 20)}"b":1}`],
  ['a long key', (size) => `{"${filled('~/', size - 20)}":1}`],
  ['a long word', (size) => `{"buckets":["${filled('eyJ', size - 20)}"]}`],
  ['spaces', (size) => filled(' ', size)],
  ['quotes', (size) => filled('"', size)],
];

/** @param more further lines, with their ends */
function requestOf(method: string, path: string, lines: readonly string[], body = Buffer.alloc(0), more = ''): Buffer {
  const host = more.startsWith('Host') ? [] : ['Host: localhost'];
  const length = body.length > 0 ? ['Content-Type: application/json', `Content-Length: ${body.length}`] : [];
  const head = [`${method} ${path} HTTP/1.1`, ...host, ...lines, ...length, 'Connection: close', ''].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}${more}\r\n`), body]);
}
