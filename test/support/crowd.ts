// A crowd of viewers in a process of its own, so that what it costs does not slow the one that is watched.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inTime } from './until.ts';

export interface CrowdOptions {
  readonly port: number;
  readonly paths: readonly string[];
  readonly clients: number;
  /** `keep-alive`: one connection for as long as the server lets it; `one-request`: a new one for every request. */
  readonly manner: 'keep-alive' | 'one-request';
}

export interface RequestMetrics {
  /** Whole answers. */
  answers: number;
  /** Connections that the port refused; the client tried again later. */
  refused: number;
  /** Requests that were accepted and never wholly answered, by how that came to be known. */
  lost: Record<string, number>;
}

export class Crowd {
  readonly #child: ChildProcess;

  constructor(options: CrowdOptions) {
    const script = fileURLToPath(new URL('./crowd-process.js', import.meta.url));
    this.#child = fork(script, [JSON.stringify(options)]);
  }

  /** Resolves when the first answer has come. */
  async arrived(): Promise<void> {
    await this.#message('the first answer to a crowd');
  }

  /** What has happened up to now. */
  requestMetrics(): Promise<RequestMetrics> {
    const metrics = this.#message<RequestMetrics>('the metrics of a crowd');
    this.#child.send('requestMetrics');
    return metrics;
  }

  /** Every client gets its last answer, then all leave. */
  async leave(): Promise<RequestMetrics> {
    const metrics = this.#message<RequestMetrics>('the last answers to a crowd');
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.send('leave');
    const requestMetrics = await metrics;
    await inTime('a crowd to exit', exited);
    return requestMetrics;
  }

  #message<T>(what: string): Promise<T> {
    return inTime(what, new Promise<T>((resolve) => this.#child.once('message', (message: T) => resolve(message))));
  }

  /** Sends it away at once, whatever it is doing. */
  end(): void {
    this.#child.kill('SIGKILL');
  }
}
