// The IPC protocol between the control process and the server processes. Server processes make no decisions.
import type { ServerMetrics } from '../metrics/counters.ts';
import type { DirectorySource } from './content-messages.ts';
import type { NumberedSettings } from './shared-settings.ts';

/** The fixed parameters of a server process; sent first. */
export interface ServerSetup {
  readonly id: string;
  readonly version: string;
  /** Start of the node, by the clock of `monotonicMs`; left out: the first start of its server processes. */
  readonly startedMs?: number;
  /** Report every request; left out: only those that the node failed to answer. */
  readonly reportsRequests?: boolean;
  readonly limits: PublicLimits;
  /** Absolute; the index is in it. */
  readonly stateDirectory: string;
  /** The directory of this node: an index that was built from another is not read. Null: it has none; left out: any is read. */
  readonly indexSource?: DirectorySource | null;
  /** Absolute; copies are in it. Left out: there are none. */
  readonly assetsDirectory?: string;
  /** How objects are passed through from sources; left out: none is. */
  readonly passing?: PassingSetup;
  /** Path of the socket on which the content process answers look-ups. */
  readonly lookUpSocket: string;
  /** How long a request waits for a look-up. */
  readonly lookUpTimeoutMs: number;
  /** Left out: none are set. */
  readonly statusFacts?: StatusFacts;
  /** Connections that the open-file limit allows each server process; left out: any number. */
  readonly affordableConnections?: number;
}

/** Limits of the connections of a server process to sources. */
export interface PassingSetup {
  readonly allowPrivateAddresses: boolean;
  /** From the request to the end of the head. */
  readonly requestTimeoutMs: number;
  /** A source that sends too little for this long has failed. */
  readonly stallTimeoutMs: number;
  /** Responses at a time in each server process. */
  readonly maxResponses: number;
}

/** The parts of `/status` that come from the config and the environment. */
export interface StatusFacts {
  /** Bytes; 0: no limit. */
  readonly storageLimit: number;
  /** Without user and password; empty: none. */
  readonly queryNodeUrl: string;
  /** `NODE_ENV`, if set. */
  readonly nodeEnv?: string;
}

/** Limits of the public port, from the config. */
export interface PublicLimits {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A response is cut when the client has accepted no bytes for this long. */
  readonly stallTimeoutMs: number;
  readonly maxHeaderBytes: number;
  /** A longer request body is rejected; a shorter one is read and discarded. */
  readonly maxBodyBytes: number;
  /** Over all server processes, drains included. 0: no limit. */
  readonly maxConnections: number;
  /** Requests queued on one connection. */
  readonly maxPipelinedRequests: number;
  /** After the port has closed, idle keep-alive connections are kept open for this long. */
  readonly idleGraceMs: number;
  /** Bytes of small objects that each server process may cache in memory. */
  readonly hotObjectsBytes: number;
}

/** Every order has a sequence number; the server process confirms it with the same number. */
export type Order = { readonly seq: number } & (
  | {
      readonly type: 'setup';
      readonly setup: ServerSetup;
      /** The number of the server process, from 0. */
      readonly process: number;
      /** Later settings come through the shared settings file. */
      readonly settings: NumberedSettings;
      /** After the control process has died, responses in progress get this long. */
      readonly drainTimeoutMs: number;
    }
  /** Open the port. 0: any free port. */
  | { readonly type: 'listen'; readonly host: string; readonly port: number }
  /** Send the open port, for another server process to share; the report carries it. */
  | { readonly type: 'lend' }
  /** Share the open port that comes with this order. */
  | { readonly type: 'join' }
  /** Close the listener only, within this time; its connections now belong to this drain. */
  | { readonly type: 'close'; readonly drain: number; readonly withinMs: number }
  /** From now on every response on the connections of closed listeners has `Connection: close`. */
  | { readonly type: 'drain'; readonly drain: number }
  /** Close every connection of this drain. */
  | { readonly type: 'cut'; readonly drain: number }
  /** Read this index from now on: the content process has built or rebuilt it. */
  | { readonly type: 'index'; readonly id: string }
  /** What `/readyz` returns while the port is open; nothing else changes. */
  | { readonly type: 'ready'; readonly ready: boolean }
  | { readonly type: 'ping' }
  /** Exit: no work is left. */
  | { readonly type: 'leave' }
);

/** What one server process still has of a drain: open connections, and bytes to send on them. */
export interface DrainProgress {
  readonly drain: number;
  readonly connections: number;
  readonly bytesLeft: number;
}

export interface ActivityMetrics {
  /** Requests answered since the server process started. */
  readonly requests: number;
  readonly bytesSent: number;
  /** Of the content process, as it last said. */
  readonly downloadsInProgress: number;
  readonly drains: readonly DrainProgress[];
}

export type Report =
  /** The server process receives messages from now on; earlier ones would be lost. */
  | { readonly type: 'hello' }
  | {
      readonly type: 'confirmed';
      readonly seq: number;
      readonly port?: number;
      /** With the answer to `setup`: it has found an index of a directory that was read before. */
      readonly hasIndex?: boolean;
      readonly activity?: ActivityMetrics;
      /** With the answer to a `ping`. */
      readonly serverMetrics?: ServerMetrics;
    }
  /** Comes with the open port. */
  | { readonly type: 'lent'; readonly seq: number }
  | { readonly type: 'failed'; readonly seq: number; readonly code: string; readonly reason: string }
  /** The last connection of a drain has closed; `cut` of them were cut. */
  | { readonly type: 'drained'; readonly drain: number; readonly cut: number }
  | ({ readonly type: 'requests' } & RequestsReport);

/** A batch of requests for the log. */
export interface RequestsReport {
  readonly lines: readonly RequestLine[];
  /** Further requests, dropped to bound the batch. */
  readonly dropped: number;
}

export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  /** Null: the client closed the connection before it got a response. */
  readonly status: number | null;
  readonly cache: string;
  /** From the head of the request to the end of the response. */
  readonly ms: number;
  readonly from: string | null;
  /** Whether the whole response was sent. */
  readonly finished: boolean;
  /** The error because of which the node failed to answer. */
  readonly error?: string;
}
