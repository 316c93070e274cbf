// The composition root: makes every part of a node and hands each what it needs of the others.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeStatus } from '../machines/judge.ts';
import type { Deadlines } from '../machines/node.ts';
import type { DesiredRecord } from '../machines/settings.ts';
import { type Config, loadConfig } from './config.ts';
import { openCatalogue } from './content/catalogue.ts';
import { coverageChange } from './content/coverage-change.ts';
import type { Directory } from './content/directory.ts';
import { memoryDirectory } from './content/memory-directory.ts';
import type { Trouble } from './control/conditions.ts';
import { beginRun, type LastRun } from './control/last-run.ts';
import { lockDirectory } from './control/lock.ts';
import { Node } from './control/node.ts';
import type { PublicSide } from './control/public-side.ts';
import { openStateFile } from './control/state-file.ts';
import { createWorkers } from './control/workers.ts';
import { type Logger, neverShow, type OpenLog, openLog } from './log.ts';
import { openLogOut } from './log-out.ts';
import { affordableConnections, openFileLimit } from './open-files.ts';
import { createOperatorApi } from './operator/api.ts';
import { auditedSignal } from './operator/audit.ts';
import { Events } from './operator/events.ts';
import { listen, type OperatorListener } from './operator/listen.ts';
import { type OperatorRecords, openOperatorRecords } from './operator/records.ts';
import { loadSecret, type Secret } from './operator/secret.ts';
import { type ServiceManager, serviceManager } from './service-manager.ts';
import { catchEndSignals } from './signals.ts';
import { version } from './version.ts';

export interface StartOptions {
  readonly configPath?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** How long answers under way on the operator API may take once the node has nothing left to do. */
const lastAnswersMs = 1000;

/**
 * Runs a node until it has been shut down.
 * @returns the exit code: 0 after a shutdown, whoever asked for it; 1 if it had to leave responses behind
 * @throws {InputError} where config, secret or state directory do not allow a start
 * @throws {Error} where the operator API cannot listen
 */
export async function startNode({ configPath: path, env, cwd }: StartOptions): Promise<number> {
  const config = loadConfig({ path, env, cwd });
  const logging = await openLog(config);
  const { log } = logging;
  if (config.ignored.length > 0) log.warn(`Without a meaning here yet: ${config.ignored.join(', ')}`);
  const lock = await lockDirectory(config.directories.state);
  const onEndSignals = catchEndSignals();
  const thisRun = await beginRun(config.directories.state, log);
  process.on('uncaughtExceptionMonitor', thisRun.noteFatal);
  try {
    return await run(config, { logging, thisRun, onEndSignals, env });
  } finally {
    process.off('uncaughtExceptionMonitor', thisRun.noteFatal);
    thisRun.end();
    await lock.release();
    const { isStuck } = await logging.close();
    // A thread that waits for a disk which hangs would keep this process from exiting, for as long as it hangs.
    if (isStuck) process.kill(process.pid, 'SIGKILL');
  }
}

interface RunParts {
  readonly logging: OpenLog;
  readonly thisRun: LastRun;
  readonly onEndSignals: ReturnType<typeof catchEndSignals>;
  readonly env: NodeJS.ProcessEnv;
}

async function run(config: Config, { logging, thisRun, onEndSignals, env }: RunParts): Promise<number> {
  const { log } = logging;
  const stateFile = openStateFile(config.directories.state);
  const { record, problem } = await stateFile.load();
  const secret = config.operatorApi && (await loadSecret(config.operatorApi, { make: true }));
  if (secret) neverShow(Buffer.from(secret.bytes).toString());
  if (secret?.made) log.info(`Made the operator secret ${secret.file}`);

  const directory = openDirectory(config, log);
  const publicSide = createPublicSide(config, log);
  publicSide.subscribe((event) => {
    if (event.type === 'doubt') directory.doubt(event.objectId);
    if (event.type === 'crash') thisRun.note(event.report);
    if (event.type === 'drain.ended' && event.cut > 0) {
      log.warn({ cut: event.cut }, 'Connections were cut at the deadline of their drain');
    }
  });
  // Before anything that is waited for: processes take the longest to start.
  publicSide.start();
  const records = config.operatorApi && (await openOperatorRecords(config, config.operatorApi));
  let operator: OperatorListener | null = null;
  const endpoints = () => ({
    publicApi: addressOf(config.publicApi.host, publicSide.port ?? config.publicApi.port),
    operatorApi: operator?.url ?? null,
  });
  const node = new Node({
    id: config.id,
    version,
    publicSide,
    save: stateFile.save,
    config: { publicApi: 'running', workerId: config.workerId, buckets: config.buckets },
    record,
    deadlines: deadlinesOf(config),
    endpoints,
    bucketsOf: directory.bucketsOf,
    lastCrash: () => thisRun.crash,
    coverageChange: (before, after) =>
      coverageChange(directory, { before, after, maxIds: config.operatorApi?.maxPreviewIds ?? 0 }),
    troubles: [
      () => (problem ? [problem] : []),
      () => secret?.troubles ?? [],
      () => records?.troubles ?? [],
      logging.troubles,
      () => directory.conditions,
      ({ buckets }) => unknownBuckets(buckets, directory),
    ],
  });
  const serviceManaged = tellServiceManager(node, config, serviceManager(env, log));
  const closing: (() => Promise<void>)[] = [];
  let exitCode = 1;
  try {
    if (config.operatorApi && secret && records) {
      const events = new Events({ node, counts: () => publicSide.figures, limits: config.operatorApi });
      // The answer to the last command is on its way when the machine has ended: it is told of first.
      closing.push(() => nextTurn().then(() => events.end(exitCode)));
      const opened = await openOperatorApi(config, { secret, records, node, publicSide, directory, events, log });
      operator = opened;
      closing.push(() => opened.close(lastAnswersMs), records.close);
    }
    onEndSignals({
      first: (signal) => {
        log.info(`${signal}: shutting down`);
        void auditedSignal(signal, node, records?.auditTrail.audit ?? (() => {}));
      },
      second: () => {
        publicSide.kill();
        thisRun.end();
        // Else an exit would wait for the disk.
        if (logging.isStuck()) process.kill(process.pid, 'SIGKILL');
      },
    });
    directory.subscribe((change) => void publicSide.publish(change));
    await directory.start();
    await node.restore();
    if (node.state.node === 'running') {
      announce(node, log, { record, statePath: stateFile.path });
      serviceManaged.ready(statusWords(node.state));
    }
    exitCode = await node.exited;
    return exitCode;
  } finally {
    for (const close of closing) await close();
    await Promise.all([directory.stop(), publicSide.end()]);
    serviceManaged.end();
  }
}

function openDirectory({ catalogue, directories, intervals }: Config, log: Logger): Directory {
  if (catalogue === null) return memoryDirectory();
  const { checkCatalogueMs: checkEveryMs } = intervals;
  return openCatalogue({ file: catalogue, stateDirectory: directories.state, checkEveryMs, log });
}

function createPublicSide({ id, publicApi }: Config, log: Logger): PublicSide {
  const { host, port, workers: count, workerTimeoutMs, heartbeatMs, niceness, drainTimeoutSec, ...rest } = publicApi;
  const {
    startRetryMs: _,
    lameDuckSec: __,
    ...limits
  } = { ...rest, maxConnections: publicConnections(publicApi, log) };
  return createWorkers({
    setup: { id, version, limits, tellsRequests: log.isLevelEnabled('http') },
    host,
    port,
    count,
    workerTimeoutMs,
    heartbeatMs,
    niceness,
    drainTimeoutMs: drainTimeoutSec * 1000,
    log,
  });
}

/** Each connection may need a file beside its socket. */
function publicConnections({ maxConnections, workers }: Config['publicApi'], log: Logger): number {
  const perWorker = affordableConnections(Math.ceil(maxConnections / workers), 2);
  const affordable = perWorker * workers;
  if (maxConnections > 0 && affordable >= maxConnections) return maxConnections;
  const why = `the system lets a process open ${openFileLimit()} files (ulimit -n)`;
  if (maxConnections > 0) log.warn(`publicApi.maxConnections is ${affordable}, not ${maxConnections}: ${why}`);
  return affordable;
}

interface OperatorParts {
  readonly secret: Secret;
  readonly records: OperatorRecords;
  readonly node: Node;
  readonly publicSide: PublicSide;
  readonly directory: Directory;
  readonly events: Events;
  readonly log: Logger;
}

function openOperatorApi(
  { id, operatorApi }: Config,
  { secret, records, node, publicSide, directory, events, log }: OperatorParts,
): Promise<OperatorListener> {
  if (operatorApi === null) throw new Error('This node has no operator API');
  const { usedTokens, auditTrail } = records;
  const { isBucketId } = directory;
  auditTrail.subscribe((entry) => events.command(entry));
  const app = createOperatorApi({
    node,
    publicSide,
    config: { id, operatorApi },
    secret: secret.bytes,
    isBucketId,
    log,
    usedTokens,
    health: () => node.health,
    events,
    audit: auditTrail.audit,
  });
  const maxConnections = affordableConnections(operatorApi.maxConnections, 2);
  return listen(app, { ...operatorApi, maxConnections }, log);
}

/** Every step between two words of the state; the end as soon as it has begun. */
function tellServiceManager(node: Node, config: Config, manager: ServiceManager): ServiceManager {
  node.observe((observation) => {
    if (observation.type !== 'step') return;
    const { from, to } = observation;
    const words = statusWords(to);
    const { lameDuckMs, leaveMs } = deadlinesOf(config);
    if (from.node !== to.node) manager.stopping(words, lameDuckMs + leaveMs + lastAnswersMs);
    else if (words !== statusWords(from)) manager.status(words);
  });
  return manager;
}

const statusWords = ({ node, publicApi }: NodeStatus): string =>
  node === 'running' ? `public API ${publicApi}` : 'shutting down';

/** One line on stdout for whoever waits for the node; what commands have changed goes before the config, and says so. */
function announce(node: Node, log: Logger, { record, statePath }: { record: DesiredRecord; statePath: string }): void {
  const { id, publicApi, endpoints, conditions } = node.state;
  const operator = endpoints.operatorApi === null ? 'no operator API' : `operator API on ${endpoints.operatorApi}`;
  // Not console.log: a disk behind stdout that is full would end the node.
  const stdout = openLogOut(process.stdout);
  stdout.write(`${id} ${version}: public API ${publicApi} on ${endpoints.publicApi}, ${operator}\n`);
  const { changes, generation } = record;
  if (Object.keys(changes).length > 0) {
    const words = Object.entries(changes).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    stdout.write(
      `Before the config goes what commands have changed (${statePath}, generation ${generation}): ${words.join(', ')}. «distributor-node reset» drops it.\n`,
    );
  }
  for (const { type, message } of conditions) log.warn(`${type}: ${message}`);
}

function unknownBuckets(buckets: readonly string[] | null, directory: Directory): Trouble[] {
  const unknown = (buckets ?? []).filter((id) => !directory.knows(id));
  if (unknown.length === 0) return [];
  const shown = unknown.slice(0, 10).join(', ');
  const rest = unknown.length > 10 ? ` and ${unknown.length - 10} more` : '';
  const message = `The directory does not know ${shown}${rest}.`;
  return [{ type: 'UnknownBuckets', reason: 'NotInDirectory', message }];
}

const addressOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Every step's deadline, derived from what the config says of workers, drains and the disk. */
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
