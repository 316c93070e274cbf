// Runs the node machine: implements its effects, sends it one command at a time, and reports the outcomes.
import { type Actor, createActor, fromPromise } from 'xstate';
import type { Command, CommandName } from '../../machines/commands.ts';
import type { CoverageChange } from '../../machines/coverage-change.ts';
import { activeIds } from '../../machines/diagram/trace.ts';
import {
  isLameDuck,
  isSettled,
  judge,
  type NodeSnapshot,
  type NodeStatus,
  previewCommands,
  settingsOf,
  simulate,
  statusOf,
} from '../../machines/judge.ts';
import { type CommandOutcome, type NodeInput, nodeMachine } from '../../machines/node.ts';
import { type DesiredRecord, type Settings, settingsChange } from '../../machines/settings.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';
import { messageOf } from '../base/errors.ts';
import { type ConditionSource, Conditions } from './conditions.ts';
import { machineConditions } from './machine-conditions.ts';
import type {
  CommandOptions,
  CommandResult,
  Health,
  MachineView,
  ObservableNode,
  Observation,
  PreviewResult,
  StateDocument,
} from './node-control.ts';
import { Observers } from './observers.ts';
import { movedOn, outlookOf, refusal, type Surroundings, stateDocument, versionOf } from './state-document.ts';

export interface NodeParts extends NodeInput, Surroundings {
  /** Makes the record durable; rejects with a reason for the operator. */
  readonly save: (record: DesiredRecord, signal: AbortSignal) => Promise<void>;
  /** Stops accepting operator requests; resolves when those accepted are answered. */
  readonly answer: () => Promise<void>;
  readonly conditions: readonly ConditionSource[];
  /** Maximum number of ids in each list of a preview. */
  readonly maxPreviewIds: number;
  readonly now?: () => number;
}

/** A bug: the machine itself threw. */
const broken = 'Internal error: the node machine failed';

export class Node implements ObservableNode {
  /** Resolves when the machine has reached its final state; rejects if the machine itself threw. */
  readonly exited: Promise<number>;
  readonly #parts: NodeParts;
  readonly #actor: Actor<typeof nodeMachine>;
  readonly #conditions: Conditions;
  readonly #observers: Observers;
  readonly #startedAt: string;
  readonly #now: () => number;
  #last: NodeStatus;
  #since: string;
  #lameDuck: StateDocument['lameDuck'] = null;
  #begin = () => {};
  #isRestored = false;
  /** The queue of commands. The startup comes before all of them. */
  #turn: Promise<unknown> = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });
  /** Resolvers of the commands in progress. Only a shutdown can run beside another command. */
  readonly #inProgress = new Map<CommandName, (result: CommandResult) => void>();

  constructor(parts: NodeParts) {
    const { publicSide, contentSide, save, answer, now = Date.now } = parts;
    this.#parts = parts;
    this.#now = now;
    this.#observers = new Observers(now);
    this.#startedAt = this.#since = new Date(now()).toISOString();
    this.#actor = createActor(
      nodeMachine.provide({
        actors: {
          listen: fromPromise(({ input, signal }) => publicSide.listen({ ...input, signal })),
          close: fromPromise(() => publicSide.close()),
          save: fromPromise(({ input, signal }) => save(input, signal)),
          configure: fromPromise(({ input: { workerId, buckets } }) => this.#configure({ workerId, buckets })),
          answer: fromPromise(() => answer()),
        },
        actions: {
          retire: () => publicSide.retire(),
          cut: (_, { id }) => publicSide.cut(id),
          kill: () => publicSide.kill(),
        },
      }),
      { input: parts, inspect: (inspection) => this.#observers.inspected(inspection) },
    );
    this.#conditions = new Conditions([() => this.#conditionsIn(this.#snapshot)], now);
    publicSide.subscribe((event) => {
      if (event.type === 'drain.ended' && this.#snapshot.status === 'active') this.#actor.send(event);
      if (event.type !== 'changed') return;
      this.look();
      this.#observers.changed();
    });
    contentSide.subscribe(({ type }) => {
      if (type !== 'changed') return;
      this.look();
      this.#observers.changed();
    });
    this.#last = statusOf(this.#snapshot);
    this.#actor.subscribe(() => {
      this.#follow();
      this.#observers.stepped(this.#snapshot);
      this.look();
    });
    this.#actor.on('outcome', (outcome) => this.#ended(outcome));
    this.exited = new Promise((resolve, reject) => {
      const complete = () => resolve(this.#snapshot.output?.exitCode ?? 1);
      const error = (cause: unknown) => {
        for (const command of this.#inProgress.keys()) this.#ended({ command, result: 'failed', reason: broken });
        reject(new Error(broken, { cause }));
      };
      this.#actor.subscribe({ complete, error });
    });
    this.#actor.start();
  }

  /**
   * Brings the public API to its target state. Resolves when that has succeeded or failed.
   * All commands but shutdown wait for it: an earlier one would be judged in a state that is not the target.
   */
  async restore(): Promise<void> {
    // A server process has the settings before it serves; one that is still starting gets them later.
    const { publicSide } = this.#parts;
    await this.#configure(settingsOf(this.#snapshot)).catch(() => publicSide.kill());
    this.#actor.send({ type: 'restore' });
    this.#begin();
    await this.#settled();
    this.#isRestored = true;
  }

  /** The next public request is judged by these settings; the content process follows when it can. */
  async #configure(settings: Settings): Promise<void> {
    const { publicSide, contentSide } = this.#parts;
    contentSide.configure(settings);
    await publicSide.configure(settings);
  }

  #whyNotReady(): string | null {
    const { node, publicApi } = statusOf(this.#snapshot);
    if (node === 'shuttingDown') return 'the node is shutting down';
    if (publicApi !== 'running') return `the public API is ${publicApi}`;
    const { publicSide, contentSide } = this.#parts;
    const isServed = publicSide.workers.some(({ state }) => state === 'serving');
    if (!isServed) return 'no server process serves the public API';
    const { status } = contentSide;
    // While the content process has no index, not yet or not any more, the server processes may read one from before.
    const isRead = status === null || status.indexId === null ? publicSide.indexWasRead : status.readAt !== null;
    if (isRead) return null;
    return 'the directory has never been read';
  }

  get #snapshot(): NodeSnapshot {
    return this.#actor.getSnapshot();
  }

  get state(): StateDocument {
    const snapshot = this.#snapshot;
    this.#follow();
    return stateDocument(snapshot, this.#parts, {
      startedAt: this.#startedAt,
      since: this.#since,
      lameDuck: this.#lameDuck,
      conditions: this.#conditions.current(settingsOf(snapshot)),
    });
  }

  get health(): Health {
    return { startup: this.#isRestored ? null : 'still starting', ready: this.#whyNotReady() };
  }

  get machine(): MachineView {
    const snapshot = this.#snapshot;
    return { active: activeIds(snapshot), commands: previewCommands(snapshot) };
  }

  observe(listener: (observation: Observation) => void): () => void {
    return this.#observers.add(listener);
  }

  look(): void {
    this.#observers.compared(this.#conditions.current(settingsOf(this.#snapshot)));
  }

  async command(command: Command, options: CommandOptions = {}): Promise<CommandResult> {
    // A shutdown waits for no other command: it must work when one of them hangs.
    if (command.type === 'shutdown') return this.#execute(command, options);
    const turn = this.#turn.then(async () => {
      await this.#settled();
      return this.#execute(command, options);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Judges and sends in one synchronous block, so that the state cannot change in between. */
  #execute(command: Command, { onlyIf, onTurn }: CommandOptions): Promise<CommandResult> {
    const snapshot = this.#snapshot;
    onTurn?.({ ...statusOf(snapshot), generation: snapshot.context.record.generation });
    const judgement = judge(snapshot, command);
    if (!judgement.legal) return Promise.resolve(refusal(snapshot, judgement.reason));
    if (onlyIf?.(versionOf(snapshot)) === false) return Promise.resolve(movedOn(snapshot));
    const obstacle = this.#obstacle(command, snapshot);
    if (obstacle !== null) return Promise.resolve({ result: 'failed', reason: obstacle });
    return new Promise((resolve) => {
      this.#inProgress.set(command.type, resolve);
      this.#actor.send(command);
    });
  }

  /** The reason why a change of settings could not be applied after it was saved; null: it could. */
  #obstacle(command: Command, snapshot: NodeSnapshot): string | null {
    if (command.type !== 'set-worker' && command.type !== 'set-buckets') return null;
    try {
      this.#parts.publicSide.prepare({ ...settingsOf(snapshot), ...settingsChange(command) });
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  async preview(command: Command, { onlyIf }: CommandOptions = {}): Promise<PreviewResult> {
    const simulation = simulate(this.#snapshot, command);
    const { before } = simulation;
    if (!simulation.legal) return refusal(before, simulation.reason);
    if (onlyIf?.(versionOf(before)) === false) return movedOn(before);
    const { after } = simulation;
    const { contentSide } = this.#parts;
    const isAssignment = command.type === 'set-worker' || command.type === 'set-buckets';
    const change = isAssignment ? await this.#coverageChange(settingsOf(before), settingsOf(after)) : null;
    const preview = {
      dryRun: true as const,
      command: command.type,
      before: outlookOf(before, contentSide),
      after: outlookOf(after, contentSide),
      objects: typeof change === 'string' ? null : change,
      objectsUnknown: typeof change === 'string' ? change : null,
      conditions: this.#conditionsIn(after).map(({ type, reason, severity, message, remedy }) => ({
        type,
        reason,
        severity,
        message,
        remedy,
      })),
    };
    return { result: 'possible', preview };
  }

  /** @returns a text: why it is not known */
  #coverageChange(before: Settings, after: Settings): Promise<CoverageChange | string> {
    const { contentSide, maxPreviewIds } = this.#parts;
    return contentSide.preview(before, after, maxPreviewIds).catch(messageOf);
  }

  /** Called within the machine's step: the result contains the state that the command has led to. */
  #ended({ command, result, reason }: Pick<CommandOutcome, 'command' | 'result' | 'reason'>): void {
    if (command === null) return;
    const resolve = this.#inProgress.get(command);
    this.#inProgress.delete(command);
    if (result === 'done') resolve?.({ result, state: this.state });
    else if (result === 'failed') resolve?.({ result, reason });
    else resolve?.(refusal(this.#snapshot, reason));
  }

  async #settled(): Promise<void> {
    while (this.#snapshot.status === 'active' && !isSettled(this.#snapshot)) {
      await new Promise<void>((resolve) => {
        const watching = this.#actor.subscribe({ next: moved, complete: moved, error: moved });
        function moved() {
          resolve();
          queueMicrotask(() => watching.unsubscribe());
        }
      });
    }
  }

  /** Called at every change and before every reading, since an outcome is emitted before its state change. */
  #follow(): void {
    const { node, publicApi } = statusOf(this.#snapshot);
    if (!isLameDuck(this.#snapshot)) this.#lameDuck = null;
    else if (this.#lameDuck === null) {
      const until = this.#now() + this.#parts.deadlines.lameDuckMs;
      this.#lameDuck = { until: new Date(until).toISOString() };
    }
    if (node === this.#last.node && publicApi === this.#last.publicApi) return;
    this.#last = { node, publicApi };
    // The startup will not happen: commands that waited for it are judged now.
    if (node === 'shuttingDown') this.#begin();
    this.#since = new Date(this.#now()).toISOString();
  }

  #conditionsIn(snapshot: NodeSnapshot): (Condition | DatedCondition)[] {
    const { publicSide, contentSide, conditions } = this.#parts;
    const settings = settingsOf(snapshot);
    return [
      ...machineConditions(snapshot),
      ...publicSide.conditions,
      ...contentSide.conditions,
      ...conditions.flatMap((source) => source(settings)),
    ];
  }
}
