// Look-ups from server processes to the content process, over a Unix socket: the two ends.
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

/** Look-ups of one connection that wait for an answer. A further one is `undecided` at once. */
const maxWaiting = 1000;

/** One for each server process, replaced ones that still drain included. */
const maxConnections = 256;

/** After a failed connection, look-ups are `undecided` for this long before the next attempt. */
const restMs = 200;

export interface LookUpServer {
  /** Ends the connections too. */
  close(): Promise<void>;
}

/**
 * Answers look-ups at this path, instead of an earlier process.
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
  // It appears at its path at once with its mode, and a server that closes late removes only its own name.
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
    // A process that does not read, because it is stopped, connects again when it runs again.
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

/** A look-up that waits for its answer. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly askedAt: number;
  readonly answer: Promise<LookUp>;
  readonly resolve: (answer: LookUp) => void;
  readonly timer: NodeJS.Timeout;
}

/** Connects at the first look-up, and again after the content process was replaced. */
export class LookUpClient implements ContentCalls {
  readonly #path: string;
  readonly #timeoutMs: number;
  /** By id: those who ask for the same object share one look-up. */
  readonly #byId = new Map<string, Waiting>();
  readonly #bySeq = new Map<number, Waiting>();
  #socket: Socket | null = null;
  #seq = 0;
  /** When this connection last brought an answer, by the clock of `performance.now()`; 0: never. */
  #heardAt = 0;
  /** By the same clock: no attempt to connect before. */
  #restUntil = 0;

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

  /** Lost if the content process is not there. */
  reportBadCopy(id: string): void {
    this.#writable()?.write(lineOf({ bad: id }));
  }

  /** Lost if the content process is not there: the next read of the index meets the damage again. */
  reportDamage(indexId: string, message: string): void {
    this.#writable()?.write(lineOf({ damaged: indexId, message: message.slice(0, maxMessageLength) }));
  }

  /** Look-ups that wait are `undecided`. A later one connects again. */
  close(): void {
    this.#lose();
  }

  /** Null: there is no connection, or the content process does not read it. */
  #writable(): Socket | null {
    if (this.#socket === null && performance.now() >= this.#restUntil) this.#socket = this.#connect();
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
    // A process that has answered has been replaced; another was not there, or did not work.
    if (this.#heardAt === 0) this.#restUntil = performance.now() + restMs;
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
    // No answer to anything for so long: the content process hangs, so no other look-up waits for it either.
    this.#heardAt = 0;
    this.#lose();
  }
}
