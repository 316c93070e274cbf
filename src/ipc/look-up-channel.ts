// Both ends of the channel for look-ups: server processes ask the content process over a Unix socket.
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { ContentCalls, LookUp } from './look-up.ts';
import {
  type Answer,
  lineOf,
  maxAnswerBytes,
  maxMessageLength,
  maxQuestionBytes,
  maxUnreadBytes,
  type Question,
  readLines,
} from './look-up-lines.ts';

const undecided: LookUp = { result: 'undecided' };

/** Unanswered look-ups per connection. Further ones are `undecided` at once. */
const maxWaiting = 1000;

/** One per server process, including replaced ones that are still draining. */
const maxConnections = 256;

/** After a failed connection, look-ups are `undecided` for this long before the next attempt. */
const backoffMs = 200;

export interface LookUpServer {
  /** Closes the connections as well. */
  close(): Promise<void>;
}

/**
 * Answers look-ups at this path, taking over from an earlier process.
 * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
 */
export async function serveLookUps(path: string, calls: ContentCalls): Promise<LookUpServer> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    serve(socket, calls);
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
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of connections) socket.destroy();
    });
  return { close };
}

function serve(socket: Socket, calls: ContentCalls): void {
  let waiting = 0;
  const send = (answer: Answer): void => {
    const line = lineOf(answer);
    const isShort = Buffer.byteLength(line) <= maxAnswerBytes;
    // A stopped process does not read; it reconnects once it runs again.
    if (socket.writableLength > maxUnreadBytes) socket.destroy();
    else socket.write(isShort ? line : lineOf({ seq: answer.seq, answer: undecided }));
  };
  socket.on('error', () => {});
  readLines(socket, maxQuestionBytes, (line) => {
    const question = JSON.parse(line) as Question;
    if ('bad' in question) return calls.reportBadCopy(question.bad);
    if ('damaged' in question) return calls.reportDamage(question.damaged, question.message);
    const { seq, id } = question;
    if (waiting >= maxWaiting) return send({ seq, answer: undecided });
    waiting += 1;
    void calls.lookUp(id).then((answer) => {
      waiting -= 1;
      if (!socket.destroyed) send({ seq, answer });
    });
  });
}

/** A look-up waiting for its answer. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly askedAt: number;
  readonly answer: Promise<LookUp>;
  readonly resolve: (answer: LookUp) => void;
  readonly timer: NodeJS.Timeout;
}

/** Connects on the first look-up, and again after the content process was replaced. */
export class LookUpClient implements ContentCalls {
  readonly #path: string;
  readonly #timeoutMs: number;
  /** By id: concurrent requests for one object share a look-up. */
  readonly #byId = new Map<string, Waiting>();
  readonly #bySeq = new Map<number, Waiting>();
  #socket: Socket | null = null;
  #seq = 0;
  /** When the last answer arrived on this connection, by `performance.now()`; 0: never. */
  #heardAt = 0;
  /** By the same clock: earliest time of the next attempt to connect. */
  #retryAt = 0;

  /** @param timeoutMs a look-up without an answer is then `undecided` */
  constructor(path: string, { timeoutMs }: { readonly timeoutMs: number }) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  async lookUp(id: string): Promise<LookUp> {
    const same = this.#byId.get(id);
    if (same) return same.answer;
    const socket = this.#byId.size < maxWaiting ? this.#writable() : null;
    if (socket === null) return undecided;
    const waiting = this.#wait(id);
    socket.write(lineOf({ seq: waiting.seq, id }));
    return waiting.answer;
  }

  /** Dropped if the content process cannot be reached. */
  reportBadCopy(id: string): void {
    this.#writable()?.write(lineOf({ bad: id }));
  }

  /** Lost if the content process is not there: the next read of the index meets the damage again. */
  reportDamage(indexId: string, message: string): void {
    this.#writable()?.write(lineOf({ damaged: indexId, message: message.slice(0, maxMessageLength) }));
  }

  /** Waiting look-ups become `undecided`. A later one reconnects. */
  close(): void {
    this.#lose();
  }

  /** Null: there is no connection, or the content process does not read from it. */
  #writable(): Socket | null {
    if (this.#socket === null && performance.now() >= this.#retryAt) this.#socket = this.#connect();
    return this.#socket !== null && this.#socket.writableLength < maxUnreadBytes ? this.#socket : null;
  }

  #connect(): Socket {
    const socket = connect(this.#path);
    this.#heardAt = 0;
    // `close` follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#socket === socket) this.#lose();
    });
    readLines(socket, maxAnswerBytes, (line) => {
      const { seq, answer } = JSON.parse(line) as Answer;
      this.#heardAt = performance.now();
      const waiting = this.#bySeq.get(seq);
      if (waiting) this.#settle(waiting, answer);
    });
    return socket;
  }

  #lose(): void {
    this.#socket?.destroy();
    this.#socket = null;
    // Without any answer the process is missing or broken, so back off; otherwise it was replaced.
    if (this.#heardAt === 0) this.#retryAt = performance.now() + backoffMs;
    for (const waiting of [...this.#byId.values()]) this.#settle(waiting, undecided);
  }

  #wait(id: string): Waiting {
    this.#seq += 1;
    let resolve = (_: LookUp) => {};
    const answer = new Promise<LookUp>((settle) => {
      resolve = settle;
    });
    const timer = setTimeout(() => this.#giveUp(waiting), this.#timeoutMs);
    const waiting: Waiting = { seq: this.#seq, id, askedAt: performance.now(), answer, resolve, timer };
    this.#byId.set(id, waiting);
    this.#bySeq.set(waiting.seq, waiting);
    return waiting;
  }

  #settle(waiting: Waiting, answer: LookUp): void {
    clearTimeout(waiting.timer);
    this.#byId.delete(waiting.id);
    this.#bySeq.delete(waiting.seq);
    waiting.resolve(answer);
  }

  #giveUp(waiting: Waiting): void {
    this.#settle(waiting, undecided);
    if (this.#heardAt >= waiting.askedAt) return;
    // Nothing was answered since: the content process hangs, so fail every other look-up too.
    this.#heardAt = 0;
    this.#lose();
  }
}
