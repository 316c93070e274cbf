// The load under which the content process fails: viewers at full speed, downloads in progress, and an operator who does not stop.
import type { Socket } from 'node:net';
import type { Preview, StateDocument } from '../../src/control/node-control.ts';
import { Crowd } from '../support/crowd.ts';
import { accessToken, type RealNode } from '../support/harness.ts';
import { connected, restOf } from '../support/viewer.ts';
import { type CallAnswer, Operator, Times } from './operator-calls.ts';

/** With the statuses that they have whatever the content process does. */
export const callKinds = {
  'state (read)': { method: 'GET', path: 'state', status: 200 },
  'start-api (refused)': { method: 'POST', path: 'start-api', status: 409 },
  'set-buckets (saved)': { method: 'POST', path: 'set-buckets', status: 200 },
} as const;
export type CallKind = keyof typeof callKinds;
export const callKindNames = Object.keys(callKinds) as CallKind[];

export const dryRun = 'set-buckets (dry run)';

/** The last of each. */
export interface Answers {
  readonly state: StateDocument;
  readonly preview: Preview | null;
}

/** The content process is asked for a dry run, so it has a connection of its own. */
export class Operators {
  readonly errors: string[] = [];
  readonly #commands: Operator;
  readonly #dryRuns: Operator;

  private constructor(url: string, token: string) {
    this.#commands = new Operator(url, token);
    this.#dryRuns = new Operator(url, token);
  }

  static async of(node: RealNode): Promise<Operators> {
    return new Operators(node.operatorUrl, await accessToken());
  }

  /** At least so many calls of each kind, and on until the answers are as wanted. @returns what they took */
  async callUntil(calls: number, isWanted: (answers: Answers) => boolean): Promise<Times> {
    const times = new Times();
    let seen = false;
    let preview: Preview | null = null;
    const isOver = () => seen && times.count(callKindNames[0] as string) >= calls;
    const commands = async () => {
      while (!isOver()) {
        for (const kind of callKindNames) {
          const { method, path, status } = callKinds[kind];
          const document = await this.#timed(times, kind, this.#commands.call(method, path), status);
          if (path === 'state') seen ||= isWanted({ state: document as StateDocument, preview });
        }
      }
    };
    const dryRuns = async () => {
      do {
        const calling = this.#dryRuns.call('POST', 'set-buckets?dryRun=true');
        preview = (await this.#timed(times, dryRun, calling, 200)) as Preview;
      } while (!isOver());
    };
    await Promise.all([commands(), dryRuns()]);
    return times;
  }

  async #timed(times: Times, kind: string, calling: Promise<CallAnswer>, wanted: number): Promise<unknown> {
    const began = performance.now();
    const { status, document } = await calling;
    times.add(kind, performance.now() - began);
    if (status !== wanted) this.errors.push(`${kind}: ${status} ${JSON.stringify(document)}`);
    return document;
  }

  leave(): void {
    this.#commands.leave();
    this.#dryRuns.leave();
  }
}

export interface LoadOptions {
  readonly clients: number;
  readonly downloads: number;
  /** Paths that every answer to which is of this status. */
  readonly paths: readonly string[];
  readonly status: number;
  /** Of a file that no socket takes at once; null: there is none. */
  readonly download: { readonly path: string; readonly bytes: number } | null;
}

export class Load {
  readonly #crowd: Crowd;
  readonly #options: LoadOptions;
  #downloads: Socket[] = [];

  constructor(port: number, options: LoadOptions) {
    const { clients, paths } = options;
    this.#options = options;
    this.#crowd = new Crowd({ port, clients, paths, manner: 'keep-alive' });
  }

  get downloads(): number {
    return this.#downloads.length;
  }

  async arrived(port: number): Promise<void> {
    const { download, downloads } = this.#options;
    await this.#crowd.arrived();
    if (download === null) return;
    const words = `GET ${download.path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`;
    this.#downloads = await Promise.all(Array.from({ length: downloads }, () => connected(port, words)));
  }

  /** Everything that was begun is read to its end. @returns the number of answers, and what was wrong with some */
  async leave(): Promise<{ readonly answers: number; readonly errors: readonly string[] }> {
    const { status, download } = this.#options;
    const bodies = await Promise.all(this.#downloads.map(restOf));
    const wanted = download?.bytes ?? 0;
    const cut = bodies.filter((body) => body.length - body.indexOf('\r\n\r\n') - 4 !== wanted);
    const { answers, lost } = await this.#crowd.leave();
    // For the crowd, any other status than 200 is one answer that is lost.
    const others = Object.entries(lost).filter(([how]) => how !== `HTTP/1.1 ${status}`);
    const errors = others.map(([how, count]) => `${count} requests: ${how}`);
    const isOther = status !== 200 && (lost[`HTTP/1.1 ${status}`] ?? 0) !== answers;
    if (isOther) errors.push(`answers that are not ${status}`);
    if (cut.length > 0) errors.push(`${cut.length} downloads were cut`);
    return { answers, errors };
  }

  end(): void {
    this.#crowd.end();
    for (const socket of this.#downloads) socket.destroy();
  }
}
