// The node as the operator API uses it: commands, previews, observations, and the state document.
import type { Command, CommandName } from '../../machines/commands.ts';
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { CommandPreview, NodeStatus } from '../../machines/judge.ts';
import type { DesiredState, Settings } from '../../machines/settings.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';
import type { CrashReport, DrainStatus, WorkerStatus } from '../supervisor/public-side.ts';

/** The body of `GET /api/v1/state`, and of every command that succeeds. */
export interface StateDocument extends NodeStatus {
  readonly id: string;
  readonly version: string;
  readonly startedAt: string;
  /** Time of the last change of `node` or `publicApi`. */
  readonly since: string;
  readonly generation: number;
  readonly settings: Settings;
  /** Ids of the effective buckets: those set, otherwise all that the worker distributes according to the directory. */
  readonly effectiveBuckets: readonly string[];
  readonly allowed: readonly CommandName[];
  readonly desired: {
    readonly publicApi: DesiredState['publicApi'];
    /** Settings that commands have changed; for these the config file has no effect. */
    readonly overridden: readonly (keyof DesiredState)[];
  };
  readonly endpoints: { readonly publicApi: string; readonly operatorApi: string | null };
  /** During a stop the port serves viewers until this time, then closes; null: not in lame duck. */
  readonly lameDuck: { readonly until: string } | null;
  readonly drain: (DrainStatus & { readonly deadline: string }) | null;
  readonly workers: readonly WorkerStatus[];
  /** As of the last report of the content process; null: it has not reported yet. */
  readonly directory: DirectoryStatus | null;
  /** Crash of a server process, or of the control process in an earlier run; kept across restarts. Null: none is known. */
  readonly lastCrash: CrashReport | null;
  readonly conditions: readonly DatedCondition[];
}

/** What the node knows of its directory, and the progress of an import or sync. */
export interface DirectoryStatus {
  /** Of the content process; null: none runs at the moment. */
  readonly pid: number | null;
  /** In the index. */
  readonly objects: number;
  readonly bags: number;
  /** When the directory was last read completely, ISO 8601; null: never. */
  readonly readAt: string | null;
  readonly activity: 'reading' | 'hashing' | 'idle';
  /** Read so far by the import or sync in progress; null: none is. */
  readonly bagsRead: number | null;
  readonly objectsRead: number | null;
  readonly filesToHash: number;
  /** The last block that the squid has processed, and its version; null: not known. */
  readonly height: number | null;
  readonly squidVersion: string | null;
}

/** The state in which a command was refused. */
interface Refusal {
  readonly state: NodeStatus;
  readonly allowed: readonly CommandName[];
}

/** How a command ended. `moved`: it was legal, but its precondition (`onlyIf`) no longer holds. */
export type CommandResult =
  | { readonly result: 'done'; readonly state: StateDocument }
  | { readonly result: 'failed'; readonly reason: string }
  | ({ readonly result: 'refused'; readonly reason: string } & Refusal)
  | ({ readonly result: 'moved'; readonly generation: number } & Refusal);

/** The version of the state that a precondition compares. */
export interface Version {
  readonly generation: number;
  readonly desired: DesiredState;
}

export interface CommandOptions {
  /** Precondition, checked for a legal command at the moment it is judged; false: the command is not executed. */
  readonly onlyIf?: ((version: Version) => boolean) | undefined;
  /** Called when the earlier commands have ended, with the state in which this one is judged. */
  readonly onTurn?: ((state: NodeStatus & { readonly generation: number }) => void) | undefined;
}

/** The part of the state document that a command may change. */
export type Outlook = Pick<
  StateDocument,
  'node' | 'publicApi' | 'generation' | 'settings' | 'effectiveBuckets' | 'allowed'
>;

/** The effect of a command, as a dry run reports it. */
export interface Preview {
  readonly dryRun: true;
  readonly command: CommandName;
  /** The state in which the command would be judged: after the step in progress has succeeded, if there is one. */
  readonly before: Outlook;
  /** The state after the command if every step succeeds. */
  readonly after: Outlook;
  /** Objects that would be dropped and gained; null: the command changes no settings, or the content process cannot tell. */
  readonly objects: CoverageChange | null;
  /** Why the content process cannot tell, for people; null: it can. */
  readonly objectsUnknown: string | null;
  /** The conditions in `after`, as far as they can be predicted. */
  readonly conditions: readonly Condition[];
}

export type PreviewResult =
  | { readonly result: 'possible'; readonly preview: Preview }
  | Extract<CommandResult, { result: 'refused' | 'moved' }>;

export interface NodeControl {
  readonly state: StateDocument;
  /** Executes a command after the earlier ones have ended; resolves with its outcome, never rejects. */
  command(command: Command, options?: CommandOptions): Promise<CommandResult>;
  /** The effect that a command would have now. Does not wait for steps in progress, and changes nothing. */
  preview(command: Command, options?: CommandOptions): Promise<PreviewResult>;
}

/** Health for supervisors and load balancers: null means healthy, otherwise the reason. */
export interface Health {
  /** Null once the node has brought its public API to its target state, or has tried. */
  readonly startup: string | null;
  /** Null while new viewers are accepted. */
  readonly ready: string | null;
}

/** One step of the machine; ids are those of its diagrams (machines/diagram/diagram.ts). */
export interface MachineStep {
  /** ISO 8601. */
  readonly at: string;
  /** The event that triggered it, as the diagrams' edges name it. */
  readonly event: string;
  readonly from: NodeStatus;
  readonly to: NodeStatus;
  readonly active: readonly string[];
  /** Ids of the edges taken; empty: no state was left. */
  readonly taken: readonly string[];
}

export interface ConditionChange {
  readonly at: string;
  readonly change: 'raised' | 'changed' | 'cleared';
  /** The condition now; if cleared, as it last was. */
  readonly condition: DatedCondition;
}

/** Emitted synchronously within a step of the machine: listeners must be quick. */
export type Observation =
  | ({ readonly type: 'step' } & MachineStep)
  | ({ readonly type: 'condition' } & ConditionChange)
  /** The state document may have changed. */
  | { readonly type: 'changed' };

/** The state of the machine, for a drawing. */
export interface MachineView {
  readonly active: readonly string[];
  readonly commands: Readonly<Record<CommandName, CommandPreview>>;
}

export interface ObservableNode extends NodeControl {
  readonly machine: MachineView;
  /** Available at once in every state of the node. */
  readonly health: Health;
  /** Reads the conditions again; observers get the changes before it returns. */
  look(): void;
  /** Returns a function that unsubscribes. */
  observe(listener: (observation: Observation) => void): () => void;
}
