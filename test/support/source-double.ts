// A storage node or an HTTP origin on a real socket, which misbehaves on demand in every way that a source can.
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface AskedSource {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The names of the misbehaviours; `misbehaviours` defines each. */
export type Misbehaviour = keyof typeof misbehaviours;

export interface SourceDouble {
  /** Without a trailing slash. */
  readonly url: string;
  /** By path. */
  readonly files: Map<string, Buffer>;
  /** ETag of every file; null: none. */
  tag: string | null;
  /** Chooses the misbehaviour for each request; undefined: a correct answer. */
  misbehaves: ((asked: AskedSource) => Misbehaviour | undefined) | null;
  /** Target of redirects. */
  redirectsTo: string;
  /** Called before a request is answered; resolves when it may be. */
  onAsked: ((asked: AskedSource) => Promise<void> | undefined) | null;
  readonly asked: AskedSource[];
  /** Number of open connections, and its maximum. */
  readonly connections: number;
  readonly mostConnections: number;
  /** Bytes of bodies that were written to sockets. */
  readonly sent: number;
  stop(): Promise<void>;
}

interface Exchange {
  readonly socket: Socket;
  readonly asked: AskedSource;
  readonly file: Buffer;
  readonly range: { readonly from: number; readonly last: number } | null;
  /** The bytes of a correct answer. */
  readonly bytes: Buffer;
  readonly tag: string | null;
  readonly redirectsTo: string;
}

type Headers = Readonly<Record<string, string | number>>;

function head(socket: Socket, status: string, headers: Headers): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`);
}

/** The head of a correct answer, with changes. */
function goodHead({ socket, file, range, bytes, tag }: Exchange, more: Record<string, string | number | null> = {}) {
  const headers = {
    ...{ 'Content-Type': 'video/mp4', 'Content-Length': bytes.length },
    ...(range && { 'Content-Range': `bytes ${range.from}-${range.last}/${file.length}` }),
    ...(tag && { ETag: tag }),
    ...more,
  };
  const kept = Object.entries(headers).filter((entry): entry is [string, string | number] => entry[1] !== null);
  head(socket, range ? '206 Partial Content' : '200 OK', Object.fromEntries(kept));
}

const chunk = (bytes: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]);
const chunked = { 'Content-Length': null, 'Transfer-Encoding': 'chunked' };

/** Writes until the client closes the connection; waits while the client does not read. */
async function endlessly(socket: Socket, piece: (turn: number) => Buffer | string, pauseMs = 0): Promise<void> {
  for (let turn = 0; !socket.destroyed; turn += 1) {
    const hasRoom = socket.write(piece(turn));
    if (pauseMs > 0) await sleep(pauseMs);
    else if (hasRoom) await new Promise((resolve) => setImmediate(resolve));
    else await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
  }
}

const half = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2));

const misbehaviours = {
  /** Ends in the middle of the body. */
  short: (it: Exchange) => {
    goodHead(it);
    it.socket.end(half(it.bytes));
  },
  shortInChunks: (it: Exchange) => {
    goodHead(it, chunked);
    it.socket.write(chunk(half(it.bytes)));
    it.socket.write('0\r\n\r\n');
  },
  long: (it: Exchange) => {
    goodHead(it, chunked);
    for (const part of [it.bytes, Buffer.from('more')]) it.socket.write(chunk(part));
    it.socket.write('0\r\n\r\n');
  },
  /** Sends more than its own Content-Length. */
  overflowing: (it: Exchange) => {
    goodHead(it);
    it.socket.write(Buffer.concat([it.bytes, Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')]));
  },
  wrongBytes: (it: Exchange) => {
    goodHead(it);
    it.socket.write(Buffer.from(it.bytes.map((byte) => byte ^ 1)));
  },
  wrongLength: (it: Exchange) => {
    goodHead(it, { 'Content-Length': it.bytes.length + 10 });
    it.socket.write(Buffer.concat([it.bytes, Buffer.alloc(10)]));
  },
  lengthIsNoNumber: (it: Exchange) => {
    goodHead(it, { 'Content-Length': '-1' });
    it.socket.write(it.bytes);
  },
  wrongRange: (it: Exchange) => {
    const from = (it.range?.from ?? 0) + 1;
    goodHead(it, { 'Content-Range': `bytes ${from}-${from + it.bytes.length - 1}/${it.file.length + 1}` });
    it.socket.write(it.bytes);
  },
  otherSize: (it: Exchange) => {
    goodHead(it, { 'Content-Range': `bytes ${it.range?.from ?? 0}-${it.range?.last ?? 0}/${it.file.length + 1}` });
    it.socket.write(it.bytes);
  },
  /** A 206 without Content-Range. */
  missingRange: (it: Exchange) => {
    head(it.socket, '206 Partial Content', { 'Content-Length': it.bytes.length });
    it.socket.write(it.bytes);
  },
  /** A 200 with the whole file. */
  ignoresRange: (it: Exchange) => {
    head(it.socket, '200 OK', { 'Content-Length': it.file.length });
    it.socket.write(it.file);
  },
  compressed: (it: Exchange) => {
    goodHead(it, { 'Content-Encoding': 'gzip' });
    it.socket.write(it.bytes);
  },
  redirect: (it: Exchange) => {
    head(it.socket, '302 Found', { Location: it.redirectsTo, 'Content-Length': 0 });
  },
  redirectWithoutTarget: (it: Exchange) => {
    head(it.socket, '302 Found', { 'Content-Length': 0 });
  },
  endlessBody: async (it: Exchange) => {
    goodHead(it, chunked);
    await endlessly(it.socket, () => chunk(Buffer.alloc(65_536)));
  },
  endlessHead: async (it: Exchange) => {
    it.socket.write('HTTP/1.1 200 OK\r\n');
    await endlessly(it.socket, (turn) => `X-${turn}: ${'x'.repeat(1000)}\r\n`);
  },
  /** One 103 after another. */
  endlessHints: async (it: Exchange) => {
    await endlessly(it.socket, () => 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n', 1);
  },
  hangBefore: () => {},
  hangInHead: (it: Exchange) => {
    it.socket.write('HTTP/1.1 200 OK\r\nContent-Le');
  },
  dripHead: async (it: Exchange) => {
    const text = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`;
    await endlessly(it.socket, (turn) => text.charAt(turn) || 'x', 1);
  },
  hangAfterHead: (it: Exchange) => goodHead(it),
  hangInBody: (it: Exchange) => {
    goodHead(it);
    it.socket.write(half(it.bytes));
  },
  /** Sends all bytes, but never ends. */
  hangAfterBody: (it: Exchange) => {
    goodHead(it, chunked);
    it.socket.write(chunk(it.bytes));
  },
  drip: async (it: Exchange) => {
    goodHead(it);
    await endlessly(it.socket, (turn) => it.bytes.subarray(turn, turn + 1), 1);
  },
  reset: (it: Exchange) => {
    it.socket.resetAndDestroy();
  },
  resetInBody: (it: Exchange) => {
    goodHead(it);
    it.socket.write(half(it.bytes), () => it.socket.resetAndDestroy());
  },
  /** A 200 with an error page. */
  errorPage: (it: Exchange) => {
    const page = '<html>Something has gone wrong';
    head(it.socket, '200 OK', { 'Content-Type': 'text/html', 'Content-Length': page.length });
    it.socket.write(page);
  },
  serverError: (it: Exchange) => {
    head(it.socket, '500 Internal Server Error', { 'Content-Length': 0 });
  },
  notHttp: (it: Exchange) => {
    it.socket.end('SSH-2.0-OpenSSH_9.6\r\n');
  },
} satisfies Record<string, (it: Exchange) => void | Promise<void>>;

/** @param host loopback address to listen on */
export async function startSourceDouble(host = '127.0.0.1'): Promise<SourceDouble> {
  const sockets = new Set<Socket>();
  let mostConnections = 0;
  let closedSent = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    mostConnections = Math.max(mostConnections, sockets.size);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      closedSent += socket.bytesWritten;
    });
    void serve(socket);
  });
  const double = {
    ...{ url: '', files: new Map<string, Buffer>(), tag: null, misbehaves: null, redirectsTo: '', onAsked: null },
    asked: [] as AskedSource[],
    get connections() {
      return sockets.size;
    },
    get mostConnections() {
      return mostConnections;
    },
    get sent() {
      return [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, closedSent);
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  } as SourceDouble;

  /** One request after another. */
  async function serve(socket: Socket): Promise<void> {
    let text = '';
    try {
      for await (const piece of socket) {
        text += String(piece);
        for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
          const asked = parsed(text.slice(0, end));
          text = text.slice(end + 4);
          double.asked.push(asked);
          await double.onAsked?.(asked);
          await answer(socket, asked);
        }
      }
    } catch {
      // The client has reset the connection.
    }
  }

  async function answer(socket: Socket, asked: AskedSource): Promise<void> {
    const misbehaviour = double.misbehaves?.(asked);
    const file = double.files.get(asked.path);
    if (file === undefined && misbehaviour === undefined) {
      head(socket, asked.path.endsWith('/version') ? '200 OK' : '404 Not Found', { 'Content-Length': 0 });
      return;
    }
    const found = file ?? Buffer.alloc(0);
    const range = rangeOf(asked.headers.range, found.length);
    const bytes = range ? found.subarray(range.from, range.last + 1) : found;
    const it: Exchange = { socket, asked, file: found, range, bytes, tag: double.tag, redirectsTo: double.redirectsTo };
    if (misbehaviour) await misbehaviours[misbehaviour](it);
    else {
      goodHead(it);
      if (asked.method !== 'HEAD') socket.write(bytes);
    }
  }

  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The double has no port');
  return Object.assign(double, { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}` });
}

function parsed(text: string): AskedSource {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { method, path, headers: Object.fromEntries(headers) };
}

function rangeOf(header: string | undefined, size: number): Exchange['range'] {
  const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined) return null;
  return { from: Number(from), last: last ? Math.min(Number(last), size - 1) : size - 1 };
}
