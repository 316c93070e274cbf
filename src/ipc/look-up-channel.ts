// The content process's end of the look-up channel: look-ups, arrivals and reports, over a Unix socket.
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Arrival, Bringing, Brought, Following } from './arrival.ts';
import type { ContentCalls, LookUp } from './look-up.ts';
import {
  type Answer,
  lineOf,
  maxAnswerBytes,
  maxFollowed,
  maxQuestionBytes,
  maxUnreadBytes,
  maxWaiting,
  type Question,
  readLines,
} from './look-up-lines.ts';

const undecided = { result: 'undecided' } as const satisfies LookUp & Brought;

/** One per server process, including replaced ones that are still draining. */
const maxConnections = 256;

/** How often a changed number of downloads is sent. */
const downloadsEveryMs = 100;

export interface LookUpServer {
  /** Closes the connections as well. */
  close(): Promise<void>;
}

/**
 * Serves server processes at this path, taking over from an earlier process.
 * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
 */
export async function serveLookUps(path: string, calls: ContentCalls, bringing: Bringing): Promise<LookUpServer> {
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, calls, bringing);
    connections.add(connection);
    socket.once('close', () => {
      connections.delete(connection);
      connection.stopAll();
    });
  });
  server.maxConnections = maxConnections;
  // The rename makes it appear with its final mode; a server that closes late removes only its temporary name.
  const early = `${path}~`;
  rmSync(early, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(early, () => {
      server.off('error', reject);
      // Later errors are accept errors, e.g. EMFILE: only that connection is lost.
      server.on('error', () => {});
      resolve();
    });
  });
  chmodSync(early, 0o600);
  renameSync(early, path);
  const timer = setInterval(() => {
    for (const connection of connections) connection.sendDownloads();
  }, downloadsEveryMs).unref();
  const close = () =>
    new Promise<void>((resolve) => {
      clearInterval(timer);
      server.close(() => resolve());
      for (const { socket } of connections) socket.destroy();
    });
  return { close };
}

/** One server process. */
class Connection {
  readonly socket: Socket;
  readonly #calls: ContentCalls;
  readonly #bringing: Bringing;
  readonly #followings = new Map<number, Following>();
  #waiting = 0;
  /** As the server process knows it. */
  #downloads = 0;

  constructor(socket: Socket, calls: ContentCalls, bringing: Bringing) {
    this.socket = socket;
    this.#calls = calls;
    this.#bringing = bringing;
    socket.on('error', () => {});
    readLines(socket, maxQuestionBytes, (line) => this.#take(JSON.parse(line) as Question));
    this.sendDownloads();
  }

  sendDownloads(): void {
    const { downloadsInProgress: downloads } = this.#bringing;
    if (downloads === this.#downloads) return;
    this.#downloads = downloads;
    this.#send({ downloads });
  }

  stopAll(): void {
    for (const following of this.#followings.values()) following.stop();
    this.#followings.clear();
  }

  #take(question: Question): void {
    if ('bad' in question) this.#calls.reportBadCopy(question.bad);
    else if ('damaged' in question) this.#calls.reportDamage(question.damaged, question.message);
    else if ('uses' in question) this.#bringing.reportUses(question.uses);
    else if ('stop' in question) this.#stop(question.stop);
    else if ('bring' in question) this.#bring(question.seq, question.bring, question.from);
    else this.#lookUp(question.seq, question.id);
  }

  #lookUp(seq: number, id: string): void {
    if (this.#waiting >= maxWaiting) return void this.#send({ seq, answer: undecided });
    this.#waiting += 1;
    void this.#calls.lookUp(id).then((answer) => {
      this.#waiting -= 1;
      this.#send({ seq, answer });
    });
  }

  #bring(seq: number, id: string, from: number): void {
    if (this.#followings.size >= maxFollowed) return void this.#send({ seq, brought: undecided });
    const news = new News((arrival, sent) => {
      if (arrival.state !== 'arriving') this.#followings.delete(seq);
      this.#send({ seq, received: arrival.received, state: arrival.state }, sent);
    });
    const following = this.#bringing.bring(id, { from, onArrival: (arrival) => news.take(arrival) });
    this.#followings.set(seq, following);
    void following.brought.then((brought) => {
      // Otherwise it was stopped.
      if (!this.#followings.has(seq)) return;
      this.#send({ seq, brought });
      if (brought.result === 'arriving' && brought.arrival.state === 'arriving') news.begin();
      else this.#followings.delete(seq);
    });
  }

  #stop(seq: number): void {
    this.#followings.get(seq)?.stop();
    this.#followings.delete(seq);
  }

  /** @param sent called when the kernel has the line */
  #send(answer: Answer, sent?: () => void): void {
    const { socket } = this;
    if (socket.destroyed) return;
    // A process that does not read, because it is stopped, connects again when it runs again.
    if (socket.writableLength > maxUnreadBytes) return void socket.destroy();
    const line = lineOf(answer);
    if (Buffer.byteLength(line) <= maxAnswerBytes) socket.write(line, sent);
    else if ('answer' in answer) socket.write(lineOf({ seq: answer.seq, answer: undecided }));
    else if ('brought' in answer) {
      this.#stop(answer.seq);
      socket.write(lineOf({ seq: answer.seq, brought: undecided }));
    }
  }
}

/** The news of one copy, of which one line at a time is on its way: a slow reader gets the latest only. */
class News {
  readonly #send: (arrival: Arrival, sent: () => void) => void;
  #latest: Arrival | null = null;
  /** Also before the first answer. */
  #isBusy = true;

  constructor(send: (arrival: Arrival, sent: () => void) => void) {
    this.#send = send;
  }

  take(arrival: Arrival): void {
    this.#latest = arrival;
    if (!this.#isBusy) this.begin();
  }

  /** The line before has been sent. */
  begin(): void {
    const arrival = this.#latest;
    this.#latest = null;
    this.#isBusy = arrival !== null;
    if (arrival) this.#send(arrival, () => this.begin());
  }
}
