// What the operator API may ask of the node, and the document it answers with.
import type { Command, CommandName } from '../../machines/commands.ts';
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { CommandPreview, NodeStatus } from '../../machines/judge.ts';
import type { DesiredState, Settings } from '../../machines/settings.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';
import type { CrashReport, DrainStatus, WorkerStatus } from '../supervisor/public-side.ts';

/** What `GET /api/v1/state` answers and every 200 carries. */
export interface StateDocument extends NodeStatus {
  readonly id: string;
  readonly version: string;
  readonly startedAt: string;
  /** The last change of `node` or `publicApi`. */
  readonly since: string;
  readonly generation: number;
  readonly settings: Settings;
  /** Ids of the buckets in force: those chosen, else those the directory says the worker distributes. */
  readonly effectiveBuckets: readonly string[];
  readonly allowed: readonly CommandName[];
  readonly desired: {
    readonly publicApi: DesiredState['publicApi'];
    /** What commands have changed since the state file was begun: there the config file has no say any more. */
    readonly overridden: readonly (keyof DesiredState)[];
  };
  readonly endpoints: { readonly publicApi: string; readonly operatorApi: string | null };
  /** A stop has begun, and viewers are served until the port closes at this time; null: no such pause is under way. */
  readonly lameDuck: { readonly until: string } | null;
  readonly drain: (DrainStatus & { readonly deadline: string }) | null;
  readonly workers: readonly WorkerStatus[];
  /** Of a worker, or of the control process in an earlier run; kept over restarts. Null: none is known of. */
  readonly lastCrash: CrashReport | null;
  readonly conditions: readonly DatedCondition[];
}

/** The state a command was judged in and refused. */
interface Refusal {
  readonly state: NodeStatus;
  readonly allowed: readonly CommandName[];
}

/** How a command ended. `moved`: it was legal, but what it rests on (`onlyIf`) is not so any more. */
export type CommandResult =
  | { readonly result: 'done'; readonly state: StateDocument }
  | { readonly result: 'failed'; readonly reason: string }
  | ({ readonly result: 'refused'; readonly reason: string } & Refusal)
  | ({ readonly result: 'moved'; readonly generation: number } & Refusal);

/** What a precondition is about. */
export interface Version {
  readonly generation: number;
  readonly desired: DesiredState;
}

export interface CommandOptions {
  /** Asked in the moment in which the machine judges, of what it finds legal; false: it is not carried out. */
  readonly onlyIf?: ((version: Version) => boolean) | undefined;
  /** Called when its turn has come, with the state it is judged in: what came before it has ended. */
  readonly onTurn?: ((state: NodeStatus & { readonly generation: number }) => void) | undefined;
}

/** The part of the state document that a command may change. */
export type Outlook = Pick<
  StateDocument,
  'node' | 'publicApi' | 'generation' | 'settings' | 'effectiveBuckets' | 'allowed'
>;

/** What a command would do. */
export interface Preview {
  readonly dryRun: true;
  readonly command: CommandName;
  /** Where it would be judged: once the step under way has succeeded, if there is one. */
  readonly before: Outlook;
  /** Where it would lead if every step succeeds. */
  readonly after: Outlook;
  /** Which objects would be dropped and gained; null: the command changes no settings. */
  readonly objects: CoverageChange | null;
  /** What would be wrong then, as far as it can be known now. */
  readonly conditions: readonly Condition[];
}

export type PreviewResult =
  | { readonly result: 'possible'; readonly preview: Preview }
  | Extract<CommandResult, { result: 'refused' | 'moved' }>;

export interface NodeControl {
  readonly state: StateDocument;
  /** Put a command to the machine when its turn has come; resolves with its outcome, never rejects. */
  command(command: Command, options?: CommandOptions): Promise<CommandResult>;
  /** What a command would do if it were given now. Waits for no step and has no effect. */
  preview(command: Command, options?: CommandOptions): Promise<PreviewResult>;
}

/** For those who start, restart and balance nodes: each null where all is well, else why not. */
export interface Health {
  /** The node has brought its public API to where it is wanted, or has tried. */
  readonly startup: string | null;
  /** New viewers are welcome. */
  readonly ready: string | null;
}

/** One step of the machine; ids are those of its diagrams (machines/diagram/diagram.ts). */
export interface MachineStep {
  /** ISO 8601. */
  readonly at: string;
  /** What set it off, in the words of the diagrams' edges. */
  readonly event: string;
  readonly from: NodeStatus;
  readonly to: NodeStatus;
  readonly active: readonly string[];
  /** Edges; none: it reacted without leaving a state. */
  readonly taken: readonly string[];
}

export interface ConditionChange {
  readonly at: string;
  readonly change: 'raised' | 'changed' | 'cleared';
  /** As it stands now; as it last stood, where it is cleared. */
  readonly condition: DatedCondition;
}

/** Told within the machine's own step: whoever listens must be quick. */
export type Observation =
  | ({ readonly type: 'step' } & MachineStep)
  | ({ readonly type: 'condition' } & ConditionChange)
  /** Something of the state document is, or may be, different now. */
  | { readonly type: 'changed' };

/** The machine as it stands, for a picture of it. */
export interface MachineView {
  readonly active: readonly string[];
  readonly commands: Readonly<Record<CommandName, CommandPreview>>;
}

export interface ObservableNode extends NodeControl {
  readonly machine: MachineView;
  /** Quickly told, whatever the node is doing. */
  readonly health: Health;
  /** Look for conditions that came or went without a word; the observers are told before it returns. */
  look(): void;
  /** Returns what ends it. */
  observe(listener: (observation: Observation) => void): () => void;
}
