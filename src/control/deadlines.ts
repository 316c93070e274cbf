// How long every step of the node machine may take, derived from what the config says of workers, drains and the disk.
import type { Deadlines } from '../../machines/node.ts';
import type { Config } from '../config/config.ts';

export function deadlinesOf({ publicApi, stateFile }: Pick<Config, 'publicApi' | 'stateFile'>): Deadlines {
  // The supervisor kills and replaces a worker that does not confirm in time, so a step may take two such times.
  const stepMs = 2 * publicApi.workerTimeoutMs + 1000;
  const drainMs = publicApi.drainTimeoutSec * 1000;
  return {
    listenMs: stepMs,
    restoreMs: publicApi.startRetryMs,
    lameDuckMs: publicApi.lameDuckSec * 1000,
    closeMs: stepMs,
    saveMs: stateFile.saveTimeoutMs,
    saveRetryMs: stateFile.saveRetryMs,
    configureMs: stepMs,
    drainMs,
    leaveMs: stepMs + drainMs + stepMs + stateFile.saveTimeoutMs,
  };
}
