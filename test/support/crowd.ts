// A crowd of viewers in a process of its own, so that what it costs does not slow the one that is watched.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
  /** Connections that nobody accepted: the port said so, and the client tried again later. */
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
  arrived(): Promise<void> {
    return new Promise((resolve) => this.#child.once('message', () => resolve()));
  }

  /** What has happened up to now. */
  async requestMetrics(): Promise<RequestMetrics> {
    const told = new Promise<RequestMetrics>((resolve) =>
      this.#child.once('message', (requestMetrics: RequestMetrics) => resolve(requestMetrics)),
    );
    this.#child.send('requestMetrics');
    return told;
  }

  /** Every client gets its last answer, then all leave. */
  async leave(): Promise<RequestMetrics> {
    const told = new Promise<RequestMetrics>((resolve) =>
      this.#child.once('message', (requestMetrics: RequestMetrics) => resolve(requestMetrics)),
    );
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.send('leave');
    const requestMetrics = await told;
    await exited;
    return requestMetrics;
  }

  /** Sends it away at once, whatever it is doing. */
  end(): void {
    this.#child.kill('SIGKILL');
  }
}
