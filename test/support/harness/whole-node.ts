// A whole node as an operator runs it: the built command line in a process of its own, its directory, and what is asked of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CommandName } from '../../../machines/commands.ts';
import { type Answer, createClient } from '../../../src/client/http-client.ts';
import type { StateDocument } from '../../../src/control/node-control.ts';
import { withDescribed } from '../described.ts';
import { freePort } from '../free-port.ts';
import { inTime } from '../until.ts';
import { accessToken, processSettings } from './shared.ts';

const builtCli = fileURLToPath(new URL('../../../src/cli.js', import.meta.url));

export interface HomeOptions {
  /** Objects of bucket 1:0 by their id: content, or so many bytes of nothing. */
  readonly objects?: Readonly<Record<string, string | Buffer | number>>;
  /** Keys of the config beside what every test needs. */
  readonly publicApi?: Readonly<Record<string, unknown>>;
  readonly operatorApi?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface StartOptions {
  /** `ulimit -n` of the node and its workers. */
  readonly openFiles?: number;
  /** `ulimit -f` of the node and its workers, in blocks of 512 bytes. */
  readonly fileBlocks?: number;
  /** Options of every node.js process of the node. */
  readonly nodeOptions?: string;
  /** Beside PATH. */
  readonly env?: NodeJS.ProcessEnv;
  /** Another build than this one: its `src/cli.js`. */
  readonly cli?: string;
  /** Of the whole command, another one that runs it. */
  readonly through?: (command: readonly string[]) => readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What outlives a node: its config, its state directory, its objects, its ports. */
export class Home {
  readonly path: string;
  readonly port: number;

  private constructor(path: string, port: number) {
    this.path = path;
    this.port = port;
  }

  static async make({ objects = {}, publicApi = {}, operatorApi = {}, more = {} }: HomeOptions = {}): Promise<Home> {
    const path = await mkdtemp(join(tmpdir(), 'distributor-node-'));
    const port = await freePort();
    const config = {
      ...processSettings,
      catalogue: './catalogue.yml',
      directories: { state: './state' },
      publicApi: { ...processSettings.publicApi, port, ...publicApi },
      operatorApi: { ...processSettings.operatorApi, ...operatorApi },
      ...more,
    };
    const list = await Promise.all(
      Object.entries(objects).map(async ([id, content]) => {
        await writeFile(join(path, id), typeof content === 'number' ? '' : content);
        if (typeof content === 'number') await truncate(join(path, id), content);
        return { id, file: id, buckets: ['1:0'], type: 'application/octet-stream' };
      }),
    );
    const catalogue = { objects: list, workers: [{ id: 0, buckets: ['1:0'] }] };
    // JSON is YAML.
    await writeFile(join(path, 'catalogue.yml'), JSON.stringify(catalogue));
    await writeFile(join(path, 'config.yml'), JSON.stringify(config));
    return new Home(path, port);
  }

  /** Resolves when the node says that it is up. */
  async start(options?: StartOptions): Promise<RealNode> {
    const node = this.launch(options);
    await inTime('the node to say that it is up', node.up, { seen: () => node.log });
    return node;
  }

  /** It may not be up yet. */
  launch({ openFiles, fileBlocks, nodeOptions = '', env = {}, cli = builtCli, through }: StartOptions = {}): RealNode {
    const limits =
      (openFiles === undefined ? '' : `ulimit -n ${openFiles} && `) +
      (fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks} && `);
    const start = [process.execPath, cli, 'start', '-c', join(this.path, 'config.yml')];
    const command = through?.(start) ?? start;
    const child = spawn('sh', ['-c', `${limits}exec "$0" "$@"`, ...command], {
      cwd: this.path,
      env: { PATH: process.env.PATH, NODE_OPTIONS: nodeOptions, ...coverage(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new RealNode(child, this.port);
  }

  get statePath(): string {
    return join(this.path, 'state');
  }

  /** The next node starts as the first one did. */
  forget(): Promise<void> {
    return rm(this.statePath, { recursive: true, force: true });
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}

export class RealNode {
  readonly port: number;
  readonly exited: Promise<Exit>;
  /** Resolves with the line that says so; rejects where it ends before. */
  readonly up: Promise<string>;
  /** All it has logged. */
  log = '';
  /** All it has said on stdout. */
  printed = '';
  readonly #child: ChildProcess;
  #operatorUrl = '';
  #client: ReturnType<typeof createClient> | undefined;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.up = new Promise((resolve, reject) => {
      if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          this.printed += `${line}\n`;
          this.#operatorUrl ||= /operator API on (http:\S+)/.exec(line)?.[1] ?? '';
          resolve(line);
        });
      }
      void this.exited.then(({ code }) => reject(new Error(`The node ended with ${code}: ${this.log}`)));
    });
    this.up.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get operatorUrl(): string {
    return this.#operatorUrl;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async command(name: CommandName, body?: object): Promise<Answer> {
    return withDescribed(name, await (await this.#operator()).command(name, body));
  }

  async state(): Promise<StateDocument> {
    return withDescribed('state', await (await this.#operator()).state()).document as StateDocument;
  }

  async workerPids(): Promise<number[]> {
    return (await this.state()).workers.map(({ pid }) => pid);
  }

  async #operator() {
    this.#client ??= createClient({ url: this.#operatorUrl, token: await accessToken(), timeoutMs: 60_000 });
    return this.#client;
  }

  /** Ends it whatever it is doing; for the end of a test. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal('SIGKILL');
    await this.exited;
  }
}

/** What the node runs through counts as tested. */
const coverage = () => (process.env.NODE_V8_COVERAGE ? { NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE } : {});
