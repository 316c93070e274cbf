// Real server processes, supervised as by a node with the default config, for a test.
import { tmpdir } from 'node:os';
import { loadConfig } from '../../src/config/config.ts';
import type { PublicSide } from '../../src/supervisor/public-side.ts';
import { supervisionTimes } from '../../src/supervisor/supervision.ts';
import { createSupervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts';

type Given = 'setup' | 'workerTimeoutMs' | 'drainTimeoutMs';

export function testWorkers(options: Pick<SupervisorOptions, Given> & Partial<SupervisorOptions>): PublicSide {
  const { publicApi, supervision } = loadConfig({ env: {}, cwd: tmpdir() });
  const { heartbeatMs, niceness } = publicApi;
  const log = { info() {}, warn() {} };
  return createSupervisor({
    ...{ host: '127.0.0.1', port: 0, count: 2, heartbeatMs, niceness, log, ...supervision, ...supervisionTimes },
    ...options,
  });
}
