// Replays what the pure machine does with a whole node: each step at its gate, each answer over HTTP as the machine has it.
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { type Command, type CommandName, commandNames } from '../../machines/commands.ts';
import { activeIds } from '../../machines/diagram/trace.ts';
import {
  allowedCommands,
  desiredOf,
  isSettled,
  judge,
  type NodeSnapshot,
  settingsOf,
  statusOf,
} from '../../machines/judge.ts';
import type { CommandOutcome } from '../../machines/node.ts';
import type { Answer } from '../../src/client/http-client.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { GatedNode, type OperatorSide } from './harness.ts';
import { History } from './history.ts';
import { explain } from './linearizable.ts';
import { type Advance, advance, afterSteps, recordedInput, sampleCommands, sampleInput } from './model.ts';
import { type PathStep, type Start, starts } from './paths.ts';
import { withinTurns } from './until.ts';

const statuses = { done: 200, failed: 500, refused: 409 } as const;

/** What an answer must be, in short: the status, and the reason where it is not a success. */
export type Expected = readonly [status: number, reason: string | undefined];

const expectedOf = ({ result, reason }: CommandOutcome): Expected => [
  statuses[result],
  result === 'done' ? undefined : reason,
];

export const inShort = ({ status, document }: Answer): Expected => [
  status,
  status === 200 ? undefined : (document as { readonly detail: string }).detail,
];

/** What the operator sees of a state, as the machine has it. */
export const sightOf = (state: NodeSnapshot) => ({
  ...statusOf(state),
  generation: state.context.record.generation,
  settings: settingsOf(state),
  allowed: allowedCommands(state),
  wanted: desiredOf(state).publicApi,
});

/** The same, of a state document. */
export const seen = ({ node, publicApi, generation, settings, allowed, desired }: StateDocument) => ({
  ...{ node, publicApi, generation, settings, allowed },
  wanted: desired.publicApi,
});

const known = new WeakMap<NodeSnapshot, Map<string, Advance>>();

/** Paths share their beginnings: each step is taken by the pure machine once. */
function leadsTo(from: NodeSnapshot, event: PathStep['event']): Advance {
  const steps = known.get(from) ?? new Map<string, Advance>();
  known.set(from, steps);
  const name = JSON.stringify(event);
  const step = steps.get(name) ?? advance(from, event);
  steps.set(name, step);
  return step;
}

export class Replay implements AsyncDisposable {
  readonly #node: GatedNode;
  #state: NodeSnapshot;
  readonly #unanswered = new Map<CommandName, Promise<Answer>>();

  private constructor(node: GatedNode, state: NodeSnapshot) {
    this.#node = node;
    this.#state = state;
  }

  /** A node that stands where paths from this start begin. */
  static async from(operator: OperatorSide, start: Start): Promise<Replay> {
    const state = starts[start];
    const isRestoring = start.startsWith('restoring');
    const input = start.endsWith('Again') ? recordedInput : sampleInput;
    const { config, record } = input(isRestoring ? 'running' : 'stopped');
    const node = new GatedNode({ operator, config, ...(record && { record }) });
    node.hold();
    node.gates.configure.release();
    void node.node.restore();
    const replay = new Replay(node, state);
    if (isRestoring) await node.gates.listen.reached();
    node.gates.configure.hold();
    return replay;
  }

  /** Take one step and wait until the node is where it leads: each answer it gives is compared. */
  async take({ event }: PathStep): Promise<void> {
    const from = this.#state;
    // Not the states of the path: there all that have come to the same point share one past.
    const { state, outcomes } = leadsTo(from, event);
    const [, how, actor = ''] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(event.type) ?? [];
    if (how === undefined) this.#give(event as Command);
    else this.#pass(actor as keyof GatedNode['gates'], how === 'done' ? null : `${actor} failed`);
    this.#state = state;
    const begun = Object.keys(state.children).filter((id) => state.children[id] !== from.children[id]);
    for (const step of begun) await this.#reached(step as keyof GatedNode['gates'], event.type as CommandName);
    if (begun.length + outcomes.length === 0) await this.#isThere();
    for (const outcome of outcomes) {
      const name = outcome.command as CommandName;
      expect(inShort((await this.#unanswered.get(name)) as Answer), name).to.deep.equal(expectedOf(outcome));
      this.#unanswered.delete(name);
    }
  }

  /** What the operator sees now is what the machine says. */
  async look(): Promise<void> {
    expect(seen(await this.#node.state())).to.deep.equal(sightOf(this.#state));
    if (this.#state.status === 'done') expect(await this.#node.node.exited).to.equal(this.#state.output?.exitCode);
  }

  /** The commands that are refused at once in this state are refused in its words. */
  async askInVain(): Promise<void> {
    for (const type of commandNames) {
      const judgement = judge(this.#state, { type });
      if (judgement.legal || !(isSettled(this.#state) || type === 'shutdown')) continue;
      expect(inShort(await this.#node.command(sampleCommands[type])), type).to.deep.equal([409, judgement.reason]);
    }
  }

  /** Give all commands that wait for the steps under way, have these succeed, and see the commands judged then, in some order. */
  async askAndWait(): Promise<void> {
    const history = new History();
    const waiting = commandNames.filter((name) => name !== 'shutdown').map((name) => sampleCommands[name]);
    const asking = Promise.all(waiting.map((command) => history.ask(command, () => this.#node.command(command))));
    await this.#node.read();
    await this.#node.read();
    expect(history.operations, 'answered before their turn').to.deep.equal([]);
    this.#node.open();
    await asking;
    const { explained, order } = explain(afterSteps(this.#state), history.operations);
    expect(explained, history.around(order)).to.equal(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
    await Promise.allSettled(this.#unanswered.values());
  }

  /** A command that fails on its way never brings the node to its step: its error says more than a wait without end. */
  async #reached(step: keyof GatedNode['gates'], command: CommandName): Promise<void> {
    const lost = new Promise<never>((_, reject) => void this.#unanswered.get(command)?.catch(reject));
    await Promise.race([this.#node.gates[step].reached(), lost]);
  }

  #give(command: Command): void {
    this.#unanswered.set(command.type, this.#node.command(command));
  }

  #pass(step: keyof GatedNode['gates'], failure: string | null): void {
    const gate = this.#node.gates[step];
    if (failure === null) gate.release();
    else gate.fail(failure);
    gate.hold();
  }

  /** For when neither a step nor an answer shows that the node has gone on. */
  async #isThere(): Promise<void> {
    const sight = sightOf(this.#state);
    const active = activeIds(this.#state);
    const { node } = this.#node;
    // Some steps are not to be seen from outside, but the next one must not come before them.
    const isThere = () => isDeepStrictEqual(seen(node.state), sight) && isDeepStrictEqual(node.machine.active, active);
    await withinTurns(5000, isThere);
  }
}
