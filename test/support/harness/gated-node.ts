// A node in this process, asked over real HTTP, with a public server: every step can be held, let through or made to fail.
import type { Command } from '../../../machines/commands.ts';
import type { DesiredRecord } from '../../../machines/settings.ts';
import type { Answer, OperatorClient } from '../../../src/client/http-client.ts';
import type { ObservableNode, StateDocument } from '../../../src/control/node-control.ts';
import type { Node, NodeParts } from '../../../src/control/node-runner.ts';
import { withDescribed } from '../described.ts';
import { Gate } from '../gate.ts';
import { sampleInput } from '../model.ts';
import { PublicSideTwin } from '../public-side-twin.ts';
import { makeNode, type OperatorSide } from './operator-side.ts';
import { longMs } from './shared.ts';

export interface GatedNodeOptions extends Partial<Pick<NodeParts, 'config' | 'record'>> {
  /** Serves one node after another, because opening it takes long. */
  readonly operator: OperatorSide;
  /** Stands between the operator API and the node; left out: nothing does. */
  readonly dispatch?: (node: Node) => ObservableNode;
}

export class GatedNode implements AsyncDisposable {
  readonly node: Node;
  /** No viewer uses its port. */
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
  constructor({ operator, dispatch = (node) => node, ...input }: GatedNodeOptions) {
    const { side } = this;
    this.node = makeNode({
      config: sampleInput('stopped').config,
      ...input,
      publicSide: side,
      save: async (record, signal) => {
        await this.#saveGate.pass(signal);
        this.saved = record;
      },
      answer: async () => {
        await this.gates.answer.pass();
        await operator.underWay.answered(longMs);
      },
      endpoints: () => ({ publicApi: `http://127.0.0.1:${side.port ?? 0}`, operatorApi: operator.url }),
    });
    operator.subject.node = dispatch(this.node);
    this.#client = operator.client;
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
