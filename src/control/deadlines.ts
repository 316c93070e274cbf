// Derives the deadlines of the node machine's steps from the config of server processes, drains and disk.
import type { Deadlines } from '../../machines/node.ts';
import type { Config } from '../config/config.ts';

type TimedConfig = Pick<Config, 'publicApi' | 'stateFile' | 'auditLog' | 'operatorApi'>;

export function deadlinesOf({ publicApi, stateFile, auditLog, operatorApi }: TimedConfig): Deadlines {
  // The supervisor kills and replaces a server process that does not confirm in time, so a step may take two timeouts.
  const stepMs = 2 * publicApi.workerTimeoutMs + 1000;
  const { saveTimeoutMs } = stateFile;
  const drainMs = publicApi.drainTimeoutSec * 1000;
  return {
    listenMs: stepMs,
    restoreMs: publicApi.startRetryMs,
    lameDuckMs: publicApi.lameDuckSec * 1000,
    closeMs: stepMs,
    saveMs: saveTimeoutMs,
    saveRetryMs: stateFile.saveRetryMs,
    configureMs: stepMs,
    drainMs,
    leaveMs: stepMs + drainMs + stepMs + saveTimeoutMs,
    // The request body, the file of used tokens, the state file, the server processes, the audit log.
    answerMs: (operatorApi?.bodyWaitMs ?? 0) + saveTimeoutMs + saveTimeoutMs + stepMs + auditLog.writeTimeoutMs,
  };
}
