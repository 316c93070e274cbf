// A whole node in this process: real dispatch, real operator API over HTTP; every step can be held, let through or made to fail.
import { pino } from 'pino';
import type { Command } from '../../machines/commands.ts';
import type { Deadlines } from '../../machines/node.ts';
import type { DesiredRecord } from '../../machines/settings.ts';
import { type Answer, createClient, type OperatorClient } from '../../src/client/http-client.ts';
import { signAccessToken } from '../../src/client/sign-token.ts';
import type { ObservableNode, StateDocument } from '../../src/control/node-control.ts';
import { Node, type NodeParts } from '../../src/control/node-runner.ts';
import { listen, type OperatorListener } from '../../src/operator/http/listen.ts';
import { createOperatorApi } from '../../src/operator/http/operator-api.ts';
import { UnderWay } from '../../src/operator/http/under-way.ts';
import { withDescribed } from './described.ts';
import { Gate } from './gate.ts';
import { sampleInput } from './model.ts';
import { secret, settings } from './operator-rig.ts';
import { PublicSideTwin } from './public-side-twin.ts';

/** Long enough never to matter: what a deadline does is tested with the machine alone. */
const ms = 600_000;
const deadlines: Deadlines = {
  listenMs: ms,
  restoreMs: ms,
  lameDuckMs: 0,
  closeMs: ms,
  saveMs: ms,
  saveRetryMs: ms,
  configureMs: ms,
  drainMs: ms,
  leaveMs: ms,
  answerMs: ms,
};

/** An operator API on a real port, before one node after another: what is long in the making is made once. */
export class OperatorDesk implements AsyncDisposable {
  readonly client: OperatorClient;
  readonly url: string;
  /** Who is asked from now on. */
  node: ObservableNode | null = null;
  readonly underWay: UnderWay;
  readonly #listener: OperatorListener;

  private constructor(listener: OperatorListener, underWay: UnderWay, token: string) {
    this.#listener = listener;
    this.underWay = underWay;
    this.url = listener.url;
    this.client = createClient({ url: listener.url, token, timeoutMs: 60_000 });
  }

  static async open(): Promise<OperatorDesk> {
    const whoIsThere = new Proxy({} as ObservableNode, {
      get: (_, name) => {
        const value: unknown = Reflect.get(desk.node ?? {}, name, desk.node);
        return typeof value === 'function' ? value.bind(desk.node) : value;
      },
    });
    const log = pino({ level: 'silent' });
    const config = { id: 'test-node', operatorApi: settings };
    const publicSide = new PublicSideTwin();
    const underWay = new UnderWay();
    const parts = { node: whoIsThere, publicSide, config, secret, isBucketId: () => true, log, underWay };
    const app = createOperatorApi(parts);
    const token = await signAccessToken(secret, { lifetimeSec: 3600 });
    const desk = new OperatorDesk(await listen(app, { ...settings, keepAliveTimeoutMs: ms }, log), underWay, token);
    return desk;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#listener.close(0);
  }
}

export interface TestNodeOptions extends Partial<Pick<NodeParts, 'config' | 'record'>> {
  readonly desk: OperatorDesk;
  /** Stands between the operator API and the node; left out: nothing does. */
  readonly dispatch?: (node: Node) => ObservableNode;
}

export class TestNode implements AsyncDisposable {
  readonly node: Node;
  /** The public port gets no requests. */
  readonly side = new PublicSideTwin({ closeWithinMs: 0 });
  readonly #saveGate = new Gate();
  /** The steps of the node machine, by the names of its actors. */
  readonly gates: PublicSideTwin['gates'] & { readonly save: Gate; readonly answer: Gate } = {
    ...this.side.gates,
    save: this.#saveGate,
    answer: new Gate(),
  };
  /** What the state file would hold; null: nothing has been saved. */
  saved: DesiredRecord | null = null;
  readonly #client: OperatorClient;

  /** Not restored yet: `node.restore` does that, behind the same gates. */
  constructor({ desk, dispatch = (node) => node, ...input }: TestNodeOptions) {
    const { side } = this;
    this.node = new Node({
      ...sampleInput('stopped'),
      ...input,
      deadlines,
      id: 'test-node',
      version: '0.0.0',
      publicSide: side,
      save: async (record, signal) => {
        await this.#saveGate.pass(signal);
        this.saved = record;
      },
      answer: async () => {
        await this.gates.answer.pass();
        await desk.underWay.answered(ms);
      },
      conditions: [],
      bucketsOf: () => [],
      coverageChange: () => Promise.reject(new Error('Not asked here')),
      endpoints: () => ({ publicApi: `http://127.0.0.1:${side.port ?? 0}`, operatorApi: desk.url }),
    });
    desk.node = dispatch(this.node);
    this.#client = desk.client;
  }

  /** Steps that come from now on wait at their gate. */
  hold(): void {
    for (const gate of Object.values(this.gates)) gate.hold();
  }

  /** Every step goes through, those that wait too. */
  open(): void {
    for (const gate of Object.values(this.gates)) gate.release();
  }

  /** Over HTTP. */
  async command({ type, ...body }: Command): Promise<Answer> {
    return withDescribed(type, await this.#client.command(type, body));
  }

  /** Over HTTP. */
  async state(): Promise<StateDocument> {
    return (await this.read()).document as StateDocument;
  }

  async read(): Promise<Answer> {
    return withDescribed('state', await this.#client.state());
  }

  /** Shut down, whatever it was doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    await this.node.command({ type: 'shutdown' });
    await this.side.end();
    await this.node.exited;
  }
}
