// Runs the node machine: gives it its effects, puts commands to it one at a time, and writes the state document.
import { type Actor, createActor, fromPromise } from 'xstate';
import type { Command, CommandName } from '../../machines/commands.ts';
import {
  allowedCommands,
  isSettled,
  judge,
  type NodeSnapshot,
  type NodeStatus,
  settingsOf,
  statusOf,
  wishesOf,
} from '../../machines/judge.ts';
import { type CommandOutcome, type NodeInput, nodeMachine } from '../../machines/node.ts';
import type { DesiredRecord } from '../../machines/settings.ts';
import { Conditions, type Trouble, type TroubleSource } from './conditions.ts';
import type { CommandResult, NodeControl, StateDocument } from './node-control.ts';
import type { PublicSide } from './public-side.ts';

export interface NodeParts extends NodeInput {
  readonly id: string;
  readonly version: string;
  readonly publicSide: PublicSide;
  /** Makes the record durable; rejects with the operator's reason. */
  readonly save: (record: DesiredRecord, signal: AbortSignal) => Promise<void>;
  readonly troubles: readonly TroubleSource[];
  readonly endpoints: () => StateDocument['endpoints'];
  readonly now?: () => number;
}

export class Node implements NodeControl {
  /** Resolves when the machine has reached its end; rejects if the machine itself broke. */
  readonly exited: Promise<number>;
  readonly #parts: NodeParts;
  readonly #actor: Actor<typeof nodeMachine>;
  readonly #conditions: Conditions;
  readonly #startedAt: string;
  #since: string;
  /** The command whose turn it is, and all that wait behind it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: NodeParts) {
    const { publicSide, save, now = Date.now } = parts;
    this.#parts = parts;
    this.#startedAt = this.#since = new Date(now()).toISOString();
    this.#actor = createActor(
      nodeMachine.provide({
        actors: {
          listen: fromPromise(({ input, signal }) => publicSide.listen({ ...input, signal })),
          close: fromPromise(() => publicSide.close()),
          save: fromPromise(({ input, signal }) => save(input, signal)),
          configure: fromPromise(({ input: { workerId, buckets } }) => publicSide.configure({ workerId, buckets })),
        },
        actions: {
          cut: (_, { id }) => publicSide.cut(id),
          kill: () => publicSide.kill(),
        },
      }),
      { input: parts },
    );
    this.#conditions = new Conditions([() => this.#ownTroubles(), () => publicSide.conditions, ...parts.troubles], now);
    publicSide.subscribe((event) => {
      if (event.type === 'drain.ended' && this.#snapshot.status === 'active') this.#actor.send(event);
    });
    this.#followStatus(now);
    this.exited = new Promise((resolve, reject) => {
      this.#actor.subscribe({ complete: () => resolve(this.#snapshot.output?.exitCode ?? 1), error: reject });
    });
  }

  /** Start the machine and bring the public API to where it is wanted. Resolves when that has succeeded or failed. */
  async restore(): Promise<void> {
    this.#actor.start();
    this.#actor.send({ type: 'restore' });
    await this.#settled();
  }

  get #snapshot(): NodeSnapshot {
    return this.#actor.getSnapshot();
  }

  get state(): StateDocument {
    const { id, version, publicSide, endpoints } = this.#parts;
    const snapshot = this.#snapshot;
    const { drain } = publicSide;
    const deadline = Math.max(...snapshot.context.drains.map((one) => one.deadline));
    return {
      id,
      version,
      startedAt: this.#startedAt,
      ...statusOf(snapshot),
      since: this.#since,
      generation: snapshot.context.record.generation,
      settings: settingsOf(snapshot),
      allowed: allowedCommands(snapshot),
      desired: { publicApi: wishesOf(snapshot).publicApi },
      endpoints: endpoints(),
      drain: drain && Number.isFinite(deadline) ? { ...drain, deadline: new Date(deadline).toISOString() } : null,
      workers: publicSide.workers,
      conditions: this.#conditions.current(),
    };
  }

  async command(command: Command): Promise<CommandResult> {
    // A shutdown waits for nobody: it is what an operator reaches for when something hangs.
    if (command.type === 'shutdown') return this.#carryOut(command);
    const turn = this.#turn.then(async () => {
      await this.#settled();
      return this.#carryOut(command);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Judges and sends in one synchronous block: nothing may change between the two. */
  async #carryOut(command: Command): Promise<CommandResult> {
    const snapshot = this.#snapshot;
    const judgement = judge(snapshot, command);
    if (!judgement.legal) return this.#refusal(snapshot, judgement.reason);
    const ending = this.#outcomeOf(command.type);
    this.#actor.send(command);
    const { result, reason } = await ending;
    if (command.type !== 'shutdown') await this.#settled();
    if (result === 'refused') return this.#refusal(this.#snapshot, reason);
    if (result === 'failed') return { result, reason };
    return { result, state: this.state };
  }

  #refusal(snapshot: NodeSnapshot, reason: string): CommandResult {
    return { result: 'refused', reason, state: statusOf(snapshot), allowed: allowedCommands(snapshot) };
  }

  #outcomeOf(name: CommandName): Promise<Pick<CommandOutcome, 'result' | 'reason'>> {
    return new Promise((resolve) => {
      const listening = this.#actor.on('outcome', (outcome) => {
        if (outcome.command !== name) return;
        listening.unsubscribe();
        resolve(outcome);
      });
      // The machine came to its end with this command under way: only a shutdown has then done what it says.
      this.exited
        .then(() =>
          resolve(
            name === 'shutdown'
              ? { result: 'done', reason: '' }
              : { result: 'refused', reason: 'Node is shutting down' },
          ),
        )
        .catch(() => resolve({ result: 'failed', reason: 'The node machine has stopped' }));
    });
  }

  async #settled(): Promise<void> {
    while (!isSettled(this.#snapshot)) {
      await new Promise<void>((resolve) => {
        const watching = this.#actor.subscribe({ next: moved, complete: moved, error: moved });
        function moved() {
          resolve();
          queueMicrotask(() => watching.unsubscribe());
        }
      });
    }
  }

  #followStatus(now: () => number): void {
    let last: NodeStatus = statusOf(this.#snapshot);
    this.#actor.subscribe((snapshot) => {
      const { node, publicApi } = statusOf(snapshot);
      if (node !== last.node || publicApi !== last.publicApi) this.#since = new Date(now()).toISOString();
      last = { node, publicApi };
      this.#conditions.current();
    });
  }

  #ownTroubles(): Trouble[] {
    const { context } = this.#snapshot;
    const { node, publicApi } = statusOf(this.#snapshot);
    const troubles: Trouble[] = [];
    if (context.saveFailure !== null) {
      const message = `${context.saveFailure}. Changes since then are lost at a restart; the node keeps trying.`;
      troubles.push({ type: 'StateNotSaved', reason: 'WriteFailed', message });
    }
    if (context.listenFailure !== null && node === 'running' && publicApi === 'stopped') {
      const message = `${context.listenFailure}. The public API is wanted running: start-api tries again.`;
      troubles.push({ type: 'PublicApiNotListening', reason: 'StartFailed', message });
    }
    return troubles;
  }
}
