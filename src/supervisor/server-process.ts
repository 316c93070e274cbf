// One server process of the public API, as the control process knows it: its metrics and whether it serves the port.
import type { Server } from 'node:net';
import type { ActivityMetrics, Order, Report, RequestsReport } from '../ipc/messages.ts';
import { noServerMetrics, type ServerMetrics } from '../metrics/counters.ts';
import {
  type Failed,
  type Gone,
  type OrderBody,
  type ProcessOptions,
  SupervisedProcess,
} from './supervised-process.ts';

/** `gone`: the process exited before it could reply, so it no longer holds the port or connections. */
export type Reply =
  | Extract<Report, { type: 'confirmed' }>
  /** This process accepts connections until it closes the port here. Undefined: the port was closed on the way. */
  | { readonly type: 'lent'; readonly seq: number; readonly shared: Server | undefined }
  | Failed
  | Gone;

export interface ServerProcessEvents {
  readonly drained: (server: ServerProcess, drain: number, cut: number) => void;
  readonly requests: (server: ServerProcess, report: RequestsReport) => void;
}

export interface ServerProcessOptions extends Omit<ProcessOptions, 'what'>, ServerProcessEvents {
  /** Its number among the server processes, from 0. */
  readonly number: number;
}

export type ServerOrder = OrderBody<Order>;

const noActivity: ActivityMetrics = { requests: 0, bytesSent: 0, downloadsInProgress: 0, drains: [] };

export class ServerProcess extends SupervisedProcess<Order, Report> {
  /** It has been ordered to listen, and has not yet confirmed a close. */
  holdsPort = false;
  /** It has confirmed that it listens. */
  serving = false;
  readonly #options: ServerProcessOptions;
  #activity = noActivity;
  #serverMetrics = noServerMetrics;

  constructor(options: ServerProcessOptions) {
    super({ ...options, what: 'server process' });
    this.#options = options;
  }

  get number(): number {
    return this.#options.number;
  }

  /** As of its last confirmation. */
  get activity(): ActivityMetrics {
    return this.#activity;
  }

  /** As of its last heartbeat. */
  get serverMetrics(): ServerMetrics {
    return this.#serverMetrics;
  }

  override order(...order: Parameters<SupervisedProcess<Order, Report>['order']>): Promise<Reply> {
    return super.order(...order) as Promise<Reply>;
  }

  protected override received(report: Report): void {
    switch (report.type) {
      case 'drained':
        this.#options.drained(this, report.drain, report.cut);
        return;
      case 'requests':
        this.#options.requests(this, report);
        return;
      case 'confirmed':
        if (report.activity) this.#activity = report.activity;
        if (report.serverMetrics) this.#serverMetrics = report.serverMetrics;
    }
  }

  protected override departed(): void {
    this.serving = this.holdsPort = false;
  }
}
