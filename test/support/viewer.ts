// Clients of the public port: one that keeps its connection, and raw sockets that behave as badly as a test wants.
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expectDescribed } from './described.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether it came on the connection of the answer before. */
  readonly reused: boolean;
}

/** Asks one thing at a time, on the same connection as long as the server lets it. */
export class Viewer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, path, method, headers, agent: this.#agent };
      const asking = request(options, async (res) => {
        try {
          const body = Buffer.concat(await res.toArray());
          const { statusCode: status = 0, headers: received } = res;
          expectDescribed('public', { method, path, status, headers: received, text: body.toString('latin1') });
          resolve({ status, headers: received, body, reused: asking.reusedSocket });
        } catch (error) {
          reject(error);
        }
      });
      asking.once('error', reject).end();
    });
  }

  leave(): void {
    this.#agent.destroy();
  }
}

/** One request on a connection of its own. */
export async function ask(port: number, path: string, headers?: Record<string, string>, method?: string) {
  const viewer = new Viewer(port);
  try {
    return await viewer.get(path, headers, method);
  } finally {
    viewer.leave();
  }
}

/** A connection that has sent this and does not read on by itself. */
export async function connected(port: number, send = ''): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.pause();
  if (send !== '') socket.write(send);
  return socket;
}

export const requestFor = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

/** Whether a new connection is refused at this moment. */
export async function refuses(port: number): Promise<boolean> {
  try {
    (await connected(port)).destroy();
    return false;
  } catch {
    return true;
  }
}

/** Everything this socket still gets, until its end. */
export async function restOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await closed(socket);
  return Buffer.concat(chunks);
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.resume().once('close', () => resolve());
  });
}
