// The composition root: creates the parts of a node and connects them.

import { desiredState } from '../machines/settings.ts';
import { isCatalogueBucketId, isSquidBucketId } from './base/bucket-id.ts';
import { httpUrl } from './base/http-url.ts';
import { directorySync } from './base/sync-directory.ts';
import { settlesWithin } from './base/timeout.ts';
import { version } from './base/version.ts';
import { type Config, loadConfig } from './config/config.ts';
import { announce, lastAnswersMs, notifyServiceManager, statusText } from './control/announce.ts';
import { containerHint } from './control/container.ts';
import { deadlinesOf } from './control/deadlines.ts';
import { beginRun, type LastRun } from './control/last-run.ts';
import { type Lock, lockDirectory } from './control/lock.ts';
import { Node } from './control/node-runner.ts';
import { serviceManager } from './control/service-manager.ts';
import { settingsConditions } from './control/settings-conditions.ts';
import { catchEndSignals } from './control/signals.ts';
import { openStateFile } from './control/state-file.ts';
import { neverShow, type OpenLog, openLog } from './log/log.ts';
import { auditedSignal } from './operator/audit/audit.ts';
import { loadSecret } from './operator/auth/secret.ts';
import type { OperatorSide } from './operator/operator-side.ts';
import { createContentSide, createPublicSide } from './supervisor/create-supervisor.ts';
import { IndexDeaths } from './supervisor/index-deaths.ts';
import type { CrashReport } from './supervisor/public-side.ts';

export interface StartOptions {
  readonly configPaths?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * Runs a node until it has shut down.
 * @returns the exit code: 0 after a shutdown, by command or signal; 1 if responses were cut
 * @throws {InputError} where the config, the secret or the state directory prevents a start
 * @throws {Error} where the operator API cannot listen
 */
export async function startNode({ configPaths: paths, env, cwd }: StartOptions): Promise<number> {
  const config = loadConfig({ paths, env, cwd });
  const logging = await openLog(config);
  const { log } = logging;
  if (config.ignored.length > 0) log.warn(`Config keys that have no effect: ${config.ignored.join(', ')}`);
  const lock = await lockDirectory(config.directories.state);
  const onEndSignals = catchEndSignals(env);
  const thisRun = await beginRun(config.directories.state, log);
  process.on('uncaughtExceptionMonitor', thisRun.noteFatal);
  try {
    return await run(config, { logging, lock, thisRun, onEndSignals, env });
  } finally {
    process.off('uncaughtExceptionMonitor', thisRun.noteFatal);
    thisRun.end();
    await lock.release();
    const { isStuck } = await logging.close();
    // A thread that is blocked on a hung disk would keep this process from exiting.
    if (isStuck) process.kill(process.pid, 'SIGKILL');
  }
}

interface RunParts {
  readonly logging: OpenLog;
  readonly lock: Lock;
  readonly thisRun: LastRun;
  readonly onEndSignals: ReturnType<typeof catchEndSignals>;
  readonly env: NodeJS.ProcessEnv;
}

async function run(config: Config, { logging, lock, thisRun, onEndSignals, env }: RunParts): Promise<number> {
  const { log } = logging;
  const { operatorApi } = config;
  const syncDirectory = directorySync((message) => log.warn(message));
  const stateFile = openStateFile(config.directories.state, { syncDirectory, confirm: lock.confirm });
  const record = await stateFile.load();
  const secret = operatorApi && (await loadSecret(operatorApi, { make: operatorApi.makesSecretFile }));
  if (secret) neverShow(Buffer.from(secret.bytes).toString());
  if (secret?.made) log.info(`Made the operator secret ${secret.file}`);

  const publicSide = createPublicSide(config, log);
  const deaths = new IndexDeaths();
  const noteCrash = (report: CrashReport): void => {
    thisRun.note(report);
    const reason = deaths.note(report.reason);
    if (reason === null) return;
    log.warn(reason);
    contentSide.rebuildIndex(reason);
  };
  publicSide.subscribe((event) => {
    if (event.type === 'crash') noteCrash(event.report);
    if (event.type === 'drain.ended' && event.cut > 0) {
      log.warn({ cut: event.cut }, 'Connections were cut at the drain deadline');
    }
  });
  // First of all, even before more code is loaded: the server processes take the longest to start.
  publicSide.start();
  const fromConfig = { publicApi: 'running', workerId: config.workerId, buckets: config.buckets } as const;
  const contentSide = createContentSide(config, desiredState(fromConfig, record), log);
  contentSide.subscribe((event) => {
    if (event.type === 'crash') noteCrash(event.report);
    if (contentSide.status?.indexId) publicSide.useIndex(contentSide.status.indexId);
  });
  contentSide.start();
  let operatorSide: OperatorSide | null = null;
  const deadlines = deadlinesOf(config);
  const node = new Node({
    id: config.id,
    version,
    publicSide,
    contentSide,
    maxPreviewIds: operatorApi?.maxPreviewIds ?? 0,
    save: stateFile.save,
    answer: async () => operatorSide?.answer(),
    config: fromConfig,
    record,
    deadlines,
    endpoints: () => ({
      publicApi: httpUrl(config.publicApi.host, publicSide.port ?? config.publicApi.port),
      operatorApi: operatorSide?.url ?? null,
    }),
    lastCrash: () => thisRun.crash,
    conditions: [
      () => stateFile.conditions,
      () => lock.conditions,
      () => secret?.conditions ?? [],
      () => operatorSide?.conditions ?? [],
      logging.conditions,
      (settings) => settingsConditions(settings, contentSide),
    ],
  });
  lock.watch(config.intervals.checkStateDirectoryMs, () => node.look());
  const manager = serviceManager(env, log);
  notifyServiceManager(node, manager, deadlines);
  onEndSignals({
    first: (signal) => {
      log.info(`${signal}: shutting down`);
      void auditedSignal(signal, node, operatorSide?.audit ?? (() => {}));
    },
    idle: (signal) => log.info(`${signal}: ignored: log files rotate by themselves, and the config is read at startup`),
    second: async () => {
      publicSide.kill();
      contentSide.kill();
      thisRun.end();
      // A regular exit would wait for the disk.
      if (logging.isStuck()) process.kill(process.pid, 'SIGKILL');
    },
  });
  let exitCode = 1;
  try {
    if (operatorApi && secret) {
      const { openOperatorSide } = await import('./operator/operator-side.ts');
      const isBucketId = bucketIdSyntax(config);
      const parts = { secret: secret.bytes, node, publicSide, isBucketId, log, syncDirectory };
      operatorSide = await openOperatorSide({ ...config, operatorApi }, parts);
    }
    // The port opens once there is something to serve; neither a slow directory nor a shutdown waits for that.
    const { hasIndex } = publicSide;
    const something = Promise.race([contentSide.settled, hasIndex, node.exited]);
    await settlesWithin(something, config.limits.readCatalogueMs);
    await node.restore();
    if (node.state.node === 'running') {
      announce(node, log, { record, stateDirectory: config.directories.state });
      const hint = containerHint(operatorApi, { env });
      if (hint !== null) log.warn(hint);
      manager.ready(statusText(node.state));
    }
    exitCode = await node.exited;
    return exitCode;
  } finally {
    await operatorSide?.close({ exitCode, answersMs: lastAnswersMs });
    await Promise.all([contentSide.end(), publicSide.end()]);
    manager.end();
  }
}

/** The bucket ids that `set-buckets` accepts. */
const bucketIdSyntax = ({ catalogue, endpoints }: Config): ((text: string) => boolean) =>
  catalogue === null && endpoints.storageSquid !== null ? isSquidBucketId : isCatalogueBucketId;
