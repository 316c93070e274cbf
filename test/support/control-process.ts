// A control process with nothing but workers, to be killed by a test.
import type { ServerSetup } from '../../src/ipc/messages.ts';
import { testWorkers } from './server-processes.ts';
import { until } from './until.ts';

const { setup, drainTimeoutMs }: { setup: ServerSetup; drainTimeoutMs: number } = JSON.parse(process.argv[2] ?? '');
const side = testWorkers({ setup, workerTimeoutMs: 30_000, drainTimeoutMs });
side.start();
await side.configure({ workerId: 0, buckets: null });
await side.listen({ patienceMs: 0 });
await until(() => side.workers.every(({ state }) => state === 'serving'));
process.send?.({ port: side.port, pids: side.workers.map(({ pid }) => pid) });
