// Requests as bytes, in every bad manner, and what a raw socket reads back.
import { connect } from 'node:net';
import type { Dice } from './dice.ts';

/** What a trait of a request leads to. Ranks are those of the order of judgement: the lowest speaks. */
export interface Verdict {
  readonly rank: number;
  readonly statuses: readonly number[];
  /** False: it may also be let pass, and the next one speaks. */
  readonly certain: boolean;
}

export interface Attack {
  /** Its traits, for the report of a failure. */
  readonly name: string;
  readonly port: 'operator' | 'public';
  readonly bytes: Buffer;
  /** Of each answer on this connection, in order. */
  readonly allowed: readonly (readonly number[])[];
  /** A request whose end never comes: the client says so by closing its side. */
  readonly isIncomplete: boolean;
  /** One request with a correct length: it must get an answer. */
  readonly isWhole: boolean;
}

/** The statuses with which a request of these verdicts may be answered. */
export function allowedBy(verdicts: readonly (Verdict | null)[], otherwise: readonly number[]): number[] {
  const allowed: number[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const { rank, statuses, certain } of verdicts.filter((one) => one !== null).sort((a, b) => a.rank - b.rank)) {
    if (rank > last) break;
    allowed.push(...statuses);
    // Which of two of the same rank is found first is left open.
    if (certain) last = rank;
  }
  return last === Number.POSITIVE_INFINITY ? [...allowed, ...otherwise] : allowed;
}

export const certain = (rank: number, ...statuses: number[]): Verdict => ({ rank, statuses, certain: true });
export const perhaps = (rank: number, ...statuses: number[]): Verdict => ({ rank, statuses, certain: false });

export interface Framed {
  readonly name: string;
  /** Header lines without their ends. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly verdict: Verdict | null;
  readonly isIncomplete?: boolean;
  readonly eol?: string;
}

/** Would be a request of its own, if a body were taken for the next request. */
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

function chunked(body: Buffer, dice: Dice): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + 1 + dice.below(body.length - at));
    const extension = dice.chance(0.2) ? ';name=value' : '';
    parts.push(Buffer.from(`${part.length.toString(16)}${extension}\r\n`), part, Buffer.from('\r\n'));
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${dice.chance(0.2) ? 'X-Trailer: 1\r\n' : ''}\r\n`)]);
}

/** The body with its correct length. */
export function rightly(body: Buffer, dice: Dice): Framed {
  if (dice.chance(0.3)) {
    return { name: 'chunked', headers: ['Transfer-Encoding: chunked'], body: chunked(body, dice), verdict: null };
  }
  const headers = body.length > 0 || dice.chance(0.3) ? [`Content-Length: ${body.length}`] : [];
  return { name: 'length', headers, body, verdict: null };
}

/** The body with its length given in a way that servers interpret differently. */
export function wrongly(body: Buffer, dice: Dice): Framed {
  const { length } = body;
  const lengthHeader = `Content-Length: ${length}`;
  const inner = Buffer.concat([body, Buffer.from(smuggled)]);
  const refused = certain(0, 400);
  const chunks = chunked(body, dice);
  const tricks: Framed[] = [
    {
      name: 'CL.TE',
      headers: [`Content-Length: ${chunks.length}`, 'Transfer-Encoding: chunked'],
      body: Buffer.concat([chunks, Buffer.from(smuggled)]),
      verdict: refused,
    },
    {
      name: 'TE.CL',
      headers: ['Transfer-Encoding: chunked', 'Content-Length: 3'],
      body: Buffer.concat([chunks, Buffer.from(smuggled)]),
      verdict: refused,
    },
    ...['xchunked', 'chunked, identity', 'chunked\t, x', '"chunked"', 'chun ked'].map((coding) => ({
      name: `TE ${coding}`,
      headers: [`Transfer-Encoding: ${coding}`],
      body: chunks,
      verdict: certain(0, 400, 501),
    })),
    {
      name: 'two lengths',
      headers: [`Content-Length: ${length}`, `Content-Length: ${length + 7}`],
      body: inner,
      verdict: refused,
    },
    ...[`+${length}`, `-1`, `0x${length.toString(16)}`, `${length} ${length}`, '1e1', '99999999999999999999'].map(
      (value) => ({ name: `length ${value}`, headers: [`Content-Length: ${value}`], body: inner, verdict: refused }),
    ),
    { name: 'space before colon', headers: [`Content-Length : ${length}`], body: inner, verdict: refused },
    { name: 'no colon', headers: ['Content-Length'], body, verdict: refused },
    { name: 'NUL in a header', headers: [lengthHeader, 'X-Odd: a\0b'], body, verdict: refused },
    { name: 'line feed in a header', headers: ['X-Odd: a\nContent-Length: 5'], body: inner, verdict: perhaps(0, 400) },
    { name: 'folded header', headers: ['X-Odd: a\r\n b'], body: Buffer.alloc(0), verdict: perhaps(0, 400) },
    { name: 'odd header name', headers: [lengthHeader, 'X(Odd): 1'], body, verdict: refused },
    { name: 'bare line feeds', headers: [lengthHeader], body, verdict: perhaps(0, 400), eol: '\n' },
    { name: 'bare returns', headers: [lengthHeader], body, verdict: perhaps(0, 400), eol: '\r', isIncomplete: true },
    {
      name: 'chunk size too large',
      headers: ['Transfer-Encoding: chunked'],
      body: Buffer.from('fffffffffffffffff\r\nx\r\n0\r\n\r\n'),
      verdict: perhaps(0, 400),
      isIncomplete: true,
    },
    {
      name: 'chunk size of nonsense',
      headers: ['Transfer-Encoding: chunked'],
      body: Buffer.from('zz\r\nabc\r\n0\r\n\r\n'),
      verdict: perhaps(0, 400),
      isIncomplete: true,
    },
    {
      name: 'less than its length',
      headers: [`Content-Length: ${length + 100}`],
      body,
      verdict: perhaps(0, 400),
      isIncomplete: true,
    },
    { name: 'long head', headers: [lengthHeader, `X-Long: ${'a'.repeat(600_000)}`], body, verdict: perhaps(0, 431) },
    {
      name: 'many headers',
      headers: [lengthHeader, ...Array.from({ length: 3000 }, (_, at) => `X-${at}: ${at}`)],
      body,
      verdict: perhaps(0, 431),
    },
    { name: 'expects', headers: ['Expect: 100-continue', `Content-Length: ${length}`], body, verdict: null },
    {
      name: 'expects more',
      headers: ['Expect: miracles', `Content-Length: ${length}`],
      body,
      verdict: certain(0, 417),
    },
    {
      name: 'upgrade',
      headers: ['Upgrade: websocket', 'Sec-WebSocket-Key: x', `Content-Length: ${length}`],
      body,
      verdict: null,
    },
  ];
  return dice.pick(tricks);
}

/** Several requests at once on one connection, of which only the last says that it is the last. */
export function pipelined(requests: readonly Attack[], dice: Dice): Attack {
  const [first] = requests;
  if (first === undefined) throw new RangeError('Nothing to send');
  return {
    name: requests.map(({ name }) => name).join(' + '),
    port: first.port,
    bytes: Buffer.concat(requests.map(({ bytes }) => bytes)),
    // Node's parser runs ahead: what it refuses it answers at once, and closes, before requests that came earlier.
    allowed: requests.flatMap(({ allowed }) => allowed).map((statuses) => [...statuses, 400, 431]),
    isIncomplete: dice.chance(0.2),
    isWhole: false,
  };
}

/** What is no HTTP at all, or stops before it is. */
export function noise(dice: Dice, port: Attack['port']): Attack {
  const texts = [
    dice.text(2000, 0, 255),
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /api/v1/status HTTP/1.1\r\nHost: loc',
    'GET /api/v1/status HTTP/9.9\r\n\r\n',
    'GET /api/v1/status\r\n\r\n',
    '\r\n'.repeat(dice.below(500)),
    'POST /api/v1/stop-api HTTP/1.1\r\n',
    '',
  ];
  const bytes = Buffer.from(dice.pick(texts), 'latin1');
  return {
    name: 'noise',
    port,
    bytes,
    allowed: [[200, 400, 403, 404, 431, 505]],
    isIncomplete: dice.chance(0.7),
    isWhole: false,
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Everything that came back, whatever of it is HTTP. */
export interface Heard {
  /** The node was silent for so long that the client has left. */
  readonly gaveUp: boolean;
  readonly text: string;
  readonly answers: readonly RawAnswer[];
}

/** How long a connection that says nothing is listened to, before its client closes it. */
const silenceMs = 500;

/** Sends the bytes in so many pieces, and reads until the connection ends. */
export function send(port: number, { bytes, isIncomplete }: Attack, cuts: readonly number[]): Promise<Heard> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port });
    let silence: NodeJS.Timeout | undefined;
    let gaveUp = false;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        gaveUp = true;
        socket.destroy();
      }, silenceMs);
    };
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      listen();
    });
    socket.on('close', () => {
      clearTimeout(silence);
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, answers: answersIn(text), gaveUp });
    });
    const ends = [...cuts, bytes.length];
    const write = (at: number, from: number) => {
      const end = ends[at];
      if (end === undefined || socket.destroyed) {
        if (isIncomplete) socket.end();
        else listen();
        return;
      }
      socket.write(bytes.subarray(from, end), () => setImmediate(write, at + 1, end));
    };
    socket.once('connect', () => write(0, 0));
  });
}

/** Enough of a client to count answers: node's own heads, with a length, in chunks, or to the end. */
function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at);
    const head = text.slice(at, end === -1 ? undefined : end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    if (end === -1 || !Number.isFinite(status)) {
      answers.push({ status: Number.NaN, head, body: '' });
      break;
    }
    const from = end + 4;
    const to = from + bodyLength(text.slice(from), head, status);
    if (status >= 200) answers.push({ status, head, body: text.slice(from, to) });
    at = to;
  }
  return answers;
}

function bodyLength(rest: string, head: string, status: number): number {
  if (status < 200 || status === 204 || status === 304) return 0;
  // An answer to HEAD states the length of a body that does not follow.
  if (rest === '' || rest.startsWith('HTTP/1.1 ')) return 0;
  if (/^transfer-encoding: chunked/im.test(head)) {
    const last = rest.indexOf('0\r\n\r\n');
    return last === -1 ? rest.length : last + 5;
  }
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return length === undefined ? rest.length : Math.min(rest.length, Number(length));
}
