// The interface between the node machine and the server processes; implemented by the supervisor and by an in-process twin.
import type { CloseResult } from '../../machines/node.ts';
import type { Settings } from '../../machines/settings.ts';
import type { DatedCondition } from '../base/condition.ts';
import type { ActivityMetrics } from '../ipc/messages.ts';
import type { ServerMetrics } from '../metrics/counters.ts';

export interface CrashReport {
  /** ISO 8601. For a control process that left no error: when it was last alive. */
  readonly at: string;
  readonly what: 'control' | 'worker' | 'content';
  /** 0: the process did not start. */
  readonly pid: number;
  /** One word for programs: a signal, `ExitCode1`, `Unresponsive`, `UncaughtError`, `Killed`, `MachineRestarted`. */
  readonly reason: string;
  /** For people. */
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
  /** Every connection of this drain has closed; `cut` of them were cut. */
  | { readonly type: 'drain.ended'; readonly id: number; readonly cut: number }
  /** Server processes, conditions or the address have changed. */
  | { readonly type: 'changed' }
  /** A server process died unexpectedly. */
  | { readonly type: 'crash'; readonly report: CrashReport };

/** All methods may be called in any state; asynchronous steps resolve when they are complete in every server process. */
export interface PublicSide {
  /** Starts the server processes. Returns without waiting for them. */
  start(): void;
  /** Ensures that these settings can be sent to every server process; changes nothing yet. @throws {Error} with a reason for the operator */
  prepare(settings: Settings): void;
  /** Every server process, current or future, judges its next request by these settings. */
  configure(settings: Settings): Promise<void>;
  /** Every server process, current or future, reads the index with this id; it stands in the state directory. */
  useIndex(id: string): void;
  /** Resolves when a server process has found an index of a directory that was read before. */
  readonly hasIndex: Promise<void>;
  /** Whether `hasIndex` has resolved. */
  readonly indexWasRead: boolean;
  /**
   * Opens the public port on every live server process, at least one.
   * Rejects with a reason for the operator (`Error.message`); the port is then closed.
   * @param patienceMs how long to retry while the port is in use
   */
  listen(options: { readonly patienceMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Reports "not ready" on the public port until the next `listen`; requests are still served. */
  retire(): void;
  /** Closes the port: resolves when connections are refused. Open connections become a drain. */
  close(): Promise<CloseResult>;
  /** Closes every connection of a drain; `drain.ended` follows. */
  cut(drain: number): void;
  /** Kills every server process. Their replacements have the latest settings, and serve the port unless it is closed or closing. */
  kill(): void;
  /** Lets the server processes exit at the end. Resolves when they have. */
  end(): Promise<void>;
  readonly workers: readonly WorkerStatus[];
  readonly conditions: readonly DatedCondition[];
  /** Sum over the drains in progress; null: none. */
  readonly drain: DrainStatus | null;
  readonly activity: ActivityMetrics;
  /** Sum over the server processes as of their last heartbeats, including those that have exited. */
  readonly serverMetrics: ServerMetrics;
  /** Number of server processes that ended unexpectedly, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  /** The port number; null while not listening with a config of port 0. */
  readonly port: number | null;
  subscribe(listener: (event: PublicSideEvent) => void): () => void;
}
