// One connection to the operator API on which requests are sent ahead, and the answers as they come.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { NotReachable } from '../../src/base/errors.ts';
import type { Answer, OperatorClient, SignedRequest } from '../../src/client/http-client.ts';
import { bodyOf } from './history.ts';
import type { Operation } from './linearizable.ts';

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      while (this.#takeAnswer());
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const one of this.#waiting.splice(0)) one.reject(new NotReachable('The connection ended without an answer'));
    });
  }

  static async open(url: string): Promise<Pipeline> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Pipeline(socket);
  }

  /** All in one write. Each answer comes by itself, in this order. */
  send(requests: readonly SignedRequest[]): Promise<Answer>[] {
    const answers = requests.map(
      () =>
        new Promise<Answer>((resolve, reject) => {
          if (this.#socket.destroyed) reject(new NotReachable('The connection has ended'));
          else this.#waiting.push({ resolve, reject });
        }),
    );
    this.#socket.write(requests.map(textOf).join(''));
    return answers;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Every answer has its length in its head. */
  #takeAnswer(): boolean {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return false;
    const head = this.#received.subarray(0, headEnd).toString();
    const start = headEnd + 4;
    const end = start + Number(/^content-length: (\d+)/im.exec(head)?.[1]);
    if (this.#received.length < end) return false;
    const document: unknown = JSON.parse(this.#received.subarray(start, end).toString());
    this.#received = this.#received.subarray(end);
    this.#waiting.shift()?.resolve({ status: Number(head.split(' ')[1]), document });
    return true;
  }
}

/** The request that a client would send, not sent. */
export const signed = (client: OperatorClient, command: Operation['command']): Promise<SignedRequest> =>
  command.type === 'read'
    ? client.signRequest('GET', 'state')
    : client.signRequest('POST', command.type, bodyOf(command));

function textOf({ method, url, headers, body = '' }: SignedRequest): string {
  const { host, pathname } = new URL(url);
  const all = Object.entries({ host, ...headers, 'content-length': String(Buffer.byteLength(body)) });
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${pathname} HTTP/1.1\r\n${lines}\r\n${body}`;
}
