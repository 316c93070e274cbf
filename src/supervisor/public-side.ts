// The port between the node machine and the public workers; a supervisor of real processes and an in-process twin fill it.
import type { CloseResult } from '../../machines/node.ts';
import type { Settings } from '../../machines/settings.ts';
import type { DatedCondition } from '../base/condition.ts';
import type { ActivityMetrics, DirectoryChange } from '../ipc/messages.ts';
import type { ServerMetrics } from '../metrics/counters.ts';

export interface CrashReport {
  /** ISO 8601. Of a control process that could not say a last word: when it was last seen alive. */
  readonly at: string;
  readonly what: 'control' | 'worker';
  /** 0: it never had one. */
  readonly pid: number;
  /** One word for programs: a signal, `ExitCode1`, `Unresponsive`, `UncaughtError`, `Killed`, `MachineRestarted`. */
  readonly reason: string;
  /** For a person. */
  readonly message: string;
}

export interface WorkerStatus {
  readonly pid: number;
  readonly state: 'starting' | 'idle' | 'serving' | 'draining';
}

export interface DrainStatus {
  readonly connections: number;
  readonly bytesLeft: number;
}

export type PublicSideEvent =
  /** Every connection of this drain has gone; `cut` of them were cut. */
  | { readonly type: 'drain.ended'; readonly id: number; readonly cut: number }
  /** Workers, conditions or the address have changed. */
  | { readonly type: 'changed' }
  /** A worker died that should not have. */
  | { readonly type: 'crash'; readonly report: CrashReport }
  | { readonly type: 'doubt'; readonly objectId: string };

/** All methods may be called in any state; those that make steps resolve only when the step is true for every worker. */
export interface PublicSide {
  /** Start the worker processes. Resolves without waiting for them. */
  start(): void;
  /** Make sure that these settings could be handed to every worker; nothing changes yet. @throws {Error} with the operator's reason */
  prepare(settings: Settings): void;
  /** Every live worker judges its next request by these settings, and each later one from its start. */
  configure(settings: Settings): Promise<void>;
  /** Hand a change of the directory to every worker, now and at its start. Resolves when confirmed. */
  publish(change: DirectoryChange): Promise<void>;
  /**
   * Open the public port on every live worker, at least one.
   * Rejects with the operator's reason (`Error.message`) and then nothing is listening.
   * @param patienceMs how long a port that is taken is tried again
   */
  listen(options: { readonly patienceMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Say on the public port that it is no longer ready, until it is opened anew; everything is served all the same. */
  retire(): void;
  /** Close the port: resolves when connections are refused. What is under way goes on as a drain. */
  close(): Promise<CloseResult>;
  /** Close every connection of a drain; `drain.ended` follows. */
  cut(drain: number): void;
  /** Kill every worker at once. Their replacements know the latest settings, and serve the port unless it is closed or closing. */
  kill(): void;
  /** At the end: let the workers exit. Resolves when they have. */
  end(): Promise<void>;
  readonly workers: readonly WorkerStatus[];
  readonly conditions: readonly DatedCondition[];
  /** Summed over the drains under way; null: none. */
  readonly drain: DrainStatus | null;
  readonly activity: ActivityMetrics;
  /** Summed over the workers as they were at their last heartbeats; what dead ones had done counts. */
  readonly serverMetrics: ServerMetrics;
  /** Workers that ended though nobody had told them to, by the one word for why. */
  readonly losses: Readonly<Record<string, number>>;
  /** The port in use; null while it is not listening and the config says 0. */
  readonly port: number | null;
  subscribe(listener: (event: PublicSideEvent) => void): () => void;
}
