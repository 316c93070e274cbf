// What the control process and a public worker say to each other over IPC. The workers decide nothing.
import type { DataObject } from '../../machines/answer.ts';
import type { ServerMetrics } from '../metrics/counters.ts';
import type { NumberedSettings } from './shared-settings.ts';

/** What a worker knows of the directory. `bucketWorkers`: the workers that actively distribute a bucket. */
export interface DirectorySnapshot {
  readonly objects: readonly DataObject[];
  readonly bucketWorkers: Readonly<Record<string, readonly number[]>>;
}

/** A change of the directory: all of it anew, or some objects of which more is known now. */
export type DirectoryChange =
  | { readonly type: 'replaced'; readonly snapshot: DirectorySnapshot }
  | { readonly type: 'updated'; readonly objects: readonly DataObject[] };

/** What is fixed for the life of a worker; handed over first. */
export interface WorkerSetup {
  readonly id: string;
  readonly version: string;
  /** When the node started, by the clock of `monotonicMs`; left out: when its worker processes were first started. */
  readonly startedMs?: number;
  /** Tell of every request; left out: only of those the node could not answer. */
  readonly tellsRequests?: boolean;
  readonly limits: PublicLimits;
  /** Left out: nothing of it is set. */
  readonly statusFacts?: StatusFacts;
  /** Connections that each worker can afford with the files it may open; left out: any number. */
  readonly affordableConnections?: number;
}

/** What `/status` tells monitors of the config and the environment. */
export interface StatusFacts {
  /** Bytes; 0: no limit. */
  readonly storageLimit: number;
  /** Without a user and a password; empty: there is none. */
  readonly queryNodeUrl: string;
  /** `NODE_ENV`, where it is set. */
  readonly nodeEnv?: string;
}

/** Of the public port, as the config has them. */
export interface PublicLimits {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** An answer of which the client takes nothing for so long is cut. */
  readonly stallTimeoutMs: number;
  readonly maxHeaderBytes: number;
  /** A longer request body is refused; a shorter one is read and thrown away. */
  readonly maxBodyBytes: number;
  /** Over all workers and their drains. 0: no limit. */
  readonly maxConnections: number;
  /** Requests sent ahead on one connection. */
  readonly maxPipelinedRequests: number;
  /** After a close, idle kept-alive connections are left this long before they are closed. */
  readonly idleGraceMs: number;
  /** Bytes of small objects each worker may keep in memory. */
  readonly hotObjectsBytes: number;
}

/** Every order carries a number; the worker confirms it with the same number. */
export type Order = { readonly seq: number } & (
  | {
      readonly type: 'setup';
      readonly setup: WorkerSetup;
      /** Its number among the workers, from 0. */
      readonly process: number;
      /** Later ones stand on the settings sharedSettings. */
      readonly settings: NumberedSettings;
      /** How long a worker whose control process has died lets responses under way go on. */
      readonly drainTimeoutMs: number;
    }
  /** `more`: a part of a large directory, whose objects count together, with the first part that says no more. */
  | { readonly type: 'directory'; readonly change: DirectoryChange; readonly more: boolean }
  /** Open the port. 0: any that is free. */
  | { readonly type: 'listen'; readonly host: string; readonly port: number }
  /** Hand over the open port, for another worker to share; the report carries it. */
  | { readonly type: 'lend' }
  /** Share the open port that comes with this order. */
  | { readonly type: 'join' }
  /** Close the listener alone, within this time; its connections are from now on those of this drain. */
  | { readonly type: 'close'; readonly drain: number; readonly withinMs: number }
  /** From now on every response on the connections of closed listeners says `Connection: close`. */
  | { readonly type: 'drain'; readonly drain: number }
  /** Close every connection of this drain. */
  | { readonly type: 'cut'; readonly drain: number }
  /** What `/readyz` says as long as the port is open; nothing else changes. */
  | { readonly type: 'ready'; readonly ready: boolean }
  | { readonly type: 'ping' }
  /** No work is left: exit. */
  | { readonly type: 'leave' }
);

/** Of one drain, what one worker still has: connections that are open, and bytes to be sent on them. */
export interface DrainProgress {
  readonly drain: number;
  readonly connections: number;
  readonly bytesLeft: number;
}

export interface ActivityMetrics {
  /** Requests answered since the worker started. */
  readonly requests: number;
  readonly bytesSent: number;
  readonly downloadsInProgress: number;
  readonly drains: readonly DrainProgress[];
}

export type Report =
  /** The worker hears now; what was sent before would be lost. */
  | { readonly type: 'hello' }
  | {
      readonly type: 'confirmed';
      readonly seq: number;
      readonly port?: number;
      readonly activity?: ActivityMetrics;
      /** With the answer to a `ping`. */
      readonly serverMetrics?: ServerMetrics;
    }
  /** Comes with the open port. */
  | { readonly type: 'lent'; readonly seq: number }
  | { readonly type: 'failed'; readonly seq: number; readonly code: string; readonly reason: string }
  /** The last connection of a drain has gone; `cut` of them were cut. */
  | { readonly type: 'drained'; readonly drain: number; readonly cut: number }
  /** The file of an object is not what the directory says of it. */
  | { readonly type: 'doubt'; readonly objectId: string }
  | ({ readonly type: 'requests' } & RequestsReport);

/** Requests for the log, a moment's worth at a time. */
export interface RequestsReport {
  readonly lines: readonly RequestLine[];
  /** Further ones, for which there was no room. */
  readonly dropped: number;
}

export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** Null: the client went before it was answered. */
  readonly status: number | null;
  readonly cache: string;
  /** From the head of the request to the end of its answer. */
  readonly ms: number;
  readonly from: string | null;
  /** Whether all of the answer was sent. */
  readonly finished: boolean;
  /** Why the node could not answer it. */
  readonly fault?: string;
}
