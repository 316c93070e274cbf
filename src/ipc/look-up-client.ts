// A server process's end of the look-up channel: its connection to the content process, renewed when that process is replaced.
import { connect, type Socket } from 'node:net';
import type { Bringing, Following } from './arrival.ts';
import { Followings } from './followings.ts';
import type { ContentCalls, LookUp } from './look-up.ts';
import {
  type Answer,
  lineOf,
  maxAnswerBytes,
  maxMessageLength,
  maxQuestionBytes,
  maxUnreadBytes,
  maxWaiting,
  type Question,
  readLines,
} from './look-up-lines.ts';

const undecided: LookUp = { result: 'undecided' };

/** After a failed connection, look-ups are `undecided` for this long before the next attempt. */
const pauseMs = 200;

/** How long a viewer waits for the first answer about an object: the content process may try many sources. */
const bringMs = 60_000;

/** A look-up that waits for its answer. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly askedAt: number;
  readonly answer: Promise<LookUp>;
  readonly resolve: (answer: LookUp) => void;
  readonly timer: NodeJS.Timeout;
}

export class LookUpClient implements ContentCalls, Bringing {
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #followings: Followings;
  /** By id: concurrent look-ups of the same object share one question. */
  readonly #byId = new Map<string, Waiting>();
  readonly #bySeq = new Map<number, Waiting>();
  #socket: Socket | null = null;
  #seq = 0;
  #downloads = 0;
  /** When this connection last delivered an answer, by `performance.now()`; 0: never. */
  #answeredAt = 0;
  /** By the same clock: no connection is attempted before this time. */
  #pausedUntil = 0;

  /**
   * @param options.timeoutMs after this time, a look-up without an answer is `undecided`
   * @param options.bringTimeoutMs the same for the first answer about an object to fetch
   */
  constructor(
    path: string,
    { timeoutMs, bringTimeoutMs = bringMs }: { readonly timeoutMs: number; readonly bringTimeoutMs?: number },
  ) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#followings = new Followings(
      {
        ask: (bring, from) => this.#ask({ bring, from }),
        // Each question is stopped at most once, so few lines can pile up.
        stop: (seq) => void this.#socket?.write(lineOf({ stop: seq })),
      },
      bringTimeoutMs,
    );
  }

  async lookUp(id: string): Promise<LookUp> {
    const same = this.#byId.get(id);
    if (same) return same.answer;
    const seq = this.#byId.size < maxWaiting ? this.#ask({ id }) : null;
    return seq === null ? undecided : this.#wait(id, seq).answer;
  }

  bring(id: string, options: Parameters<Bringing['bring']>[1]): Following {
    return this.#followings.bring(id, options);
  }

  /** Lost without a content process. */
  reportBadCopy(id: string): void {
    this.#write({ bad: id });
  }

  /** Lost without a content process: the next read of the index meets the damage again. */
  reportDamage(indexId: string, message: string): void {
    this.#write({ damaged: indexId, message: message.slice(0, maxMessageLength) });
  }

  /** Lost without a content process. Split into lines of bounded length. */
  reportUses(uses: Readonly<Record<string, number>>): void {
    let some: Record<string, number> = {};
    let bytes = 0;
    for (const [id, count] of Object.entries(uses)) {
      const more = JSON.stringify({ [id]: count }).length;
      if (bytes + more > maxQuestionBytes / 2) {
        this.#write({ uses: some });
        [some, bytes] = [{}, 0];
      }
      some[id] = count;
      bytes += more;
    }
    if (bytes > 0) this.#write({ uses: some });
  }

  /** The latest number from the content process; connects if there is no connection. */
  get downloadsInProgress(): number {
    this.#writable();
    return this.#downloads;
  }

  /** Pending look-ups become `undecided`, and arriving copies `failed`. A later look-up connects again. */
  close(): void {
    this.#lose();
  }

  /** @returns the number of the question; null: there is no connection, or the content process does not read from it */
  #ask(question: { readonly id: string } | { readonly bring: string; readonly from: number }): number | null {
    this.#seq += 1;
    const seq = this.#seq;
    return this.#write({ seq, ...question }) ? seq : null;
  }

  #write(question: Question): boolean {
    const socket = this.#writable();
    socket?.write(lineOf(question));
    return socket !== null;
  }

  #writable(): Socket | null {
    if (this.#socket === null && performance.now() >= this.#pausedUntil) this.#socket = this.#connect();
    return this.#socket !== null && this.#socket.writableLength < maxUnreadBytes ? this.#socket : null;
  }

  #connect(): Socket {
    const socket = connect(this.#path);
    this.#answeredAt = 0;
    // The `close` event follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#socket === socket) this.#lose();
    });
    readLines(socket, maxAnswerBytes, (line) => this.#take(JSON.parse(line) as Answer));
    return socket;
  }

  #take(answer: Answer): void {
    if ('downloads' in answer) {
      this.#downloads = answer.downloads;
      return;
    }
    this.#answeredAt = performance.now();
    if ('brought' in answer) this.#followings.begin(answer.seq, answer.brought);
    else if ('state' in answer) this.#followings.update(answer.seq, answer);
    else {
      const waiting = this.#bySeq.get(answer.seq);
      if (waiting) this.#settle(waiting, answer.answer);
    }
  }

  #lose(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#downloads = 0;
    // A process that has answered is being replaced, so connect at once; a process that never answered gets a pause.
    if (this.#answeredAt === 0) this.#pausedUntil = performance.now() + pauseMs;
    for (const waiting of [...this.#byId.values()]) this.#settle(waiting, undecided);
    this.#followings.lose();
  }

  #wait(id: string, seq: number): Waiting {
    let resolve = (_: LookUp) => {};
    const answer = new Promise<LookUp>((settle) => {
      resolve = settle;
    });
    const timer = setTimeout(() => this.#giveUp(waiting), this.#timeoutMs);
    const waiting: Waiting = { seq, id, askedAt: performance.now(), answer, resolve, timer };
    this.#byId.set(id, waiting);
    this.#bySeq.set(seq, waiting);
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
    if (this.#answeredAt >= waiting.askedAt) return;
    // No answer at all for this long: the content process hangs, so the other look-ups do not wait for it either.
    this.#answeredAt = 0;
    this.#lose();
  }
}
