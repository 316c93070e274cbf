// The proof that viewers and operators notice nothing while the content process hangs, dies, or has no memory, disk or squid.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type HomeOptions, type RealNode, type StartOptions } from '../support/harness.ts';
import { smallDisk } from '../support/small-disk.ts';
import { startSquidDouble } from '../support/squid-double/squid-double.ts';
import { worldOf } from '../support/squid-world.ts';
import { until } from '../support/until.ts';
import { type Answers, callKindNames, dryRun, Load, type LoadOptions, Operators } from './content-load.ts';
import type { Times } from './operator-calls.ts';
import type { Finding, Say } from './proof.ts';

export const contentCauses = ['stopped', 'killed', 'memory', 'disk', 'squid'] as const;
export type ContentCause = (typeof contentCauses)[number];

export interface ContentIsolationOptions {
  readonly causes: readonly ContentCause[];
  readonly clients: number;
  readonly downloads: number;
  /** Calls of each kind with nothing wrong, and at least so many with something wrong. */
  readonly calls: number;
  /** After so long, a content process that is stopped is killed. */
  readonly contentTimeoutMs: number;
  /** Whether times are judged; those of a few calls say nothing. Then the processes have their usual priorities. */
  readonly judged: boolean;
  /** Waits until a crash is five minutes ago, and its condition is gone. */
  readonly waitsForCalm: boolean;
}

/** One way to fail, and what it looks like. */
interface Scenario {
  readonly what: string;
  readonly home: HomeOptions;
  readonly start: (home: Home) => StartOptions | Promise<StartOptions>;
  readonly load: Pick<LoadOptions, 'paths' | 'status' | 'download'>;
  readonly cause: (home: Home, node: RealNode) => Promise<void>;
  readonly appears: readonly [type: string, reasons: RegExp];
  readonly remedy: (home: Home, node: RealNode) => Promise<void>;
  /** A crash is remembered for five minutes: only that the process works again shows at once. */
  readonly isCrash: boolean;
  readonly end?: () => Promise<void>;
}

const previewTimeoutMs = 500;
const downloadBytes = 16 * 1024 * 1024;
const asset = (id: number | string) => `/api/v1/assets/${id}`;
/** Time for the event loops on the way, beside the time limit of a dry run. */
const slackMs = 500;
const calmMs = 300_000;
/** Enough for every process of the node, and not for a large catalogue in YAML. */
const heapMegabytes = 64;

export async function proveContentIsolation(options: ContentIsolationOptions, say: Say): Promise<Finding[]> {
  const findings: Finding[] = [];
  const ends: (() => Promise<void>)[] = [];
  const calms: (() => Promise<Finding>)[] = [];
  try {
    for (const cause of options.causes) {
      const scenario = await scenarios[cause](options);
      if (scenario.end) ends.push(scenario.end);
      const home = await Home.make(scenario.home);
      ends.unshift(() => home.remove());
      const node = await home.start(await scenario.start(home));
      ends.unshift(() => node.end());
      findings.push(...(await fail(scenario, { home, node, options, say })));
      if (scenario.isCrash && options.waitsForCalm) calms.push(() => calm(scenario, node));
    }
    if (calms.length > 0) say('waits until the crashes are five minutes ago');
    for (const next of calms) findings.push(await next());
  } finally {
    for (const end of ends) await end();
  }
  return findings;
}

interface Stage {
  readonly home: Home;
  readonly node: RealNode;
  readonly options: ContentIsolationOptions;
  readonly say: Say;
}

async function fail(scenario: Scenario, { home, node, options, say }: Stage): Promise<Finding[]> {
  const { what } = scenario;
  const { calls } = options;
  await until(async () => {
    const { workers, directory } = await node.state();
    return workers.every(({ state }) => state === 'serving') && directory?.readAt != null;
  });
  const operators = await Operators.of(node);
  const load = new Load(node.port, { ...options, ...scenario.load });
  try {
    await load.arrived(node.port);
    say(`${what}: nothing wrong yet`);
    await operators.callUntil(Math.min(calls, 100), () => true);
    const before = await operators.callUntil(calls, () => true);
    say(`${what}: happens`);
    const [type, reasons] = scenario.appears;
    const has = ({ state }: Answers) => conditionIn(state, type) !== undefined;
    const works = ({ preview }: Answers) => preview?.objectsUnknown === null;
    await scenario.cause(home, node);
    const during = await operators.callUntil(calls, has);
    const { reason, message } = conditionIn(await node.state(), type) ?? { reason: 'gone', message: '' };
    say(`${what}: ${message} Now the remedy`);
    await scenario.remedy(home, node);
    await operators.callUntil(1, (seen) => works(seen) && (scenario.isCrash || !has(seen)));
    // Before and after: the machine may have become slower or faster on the way.
    before.take(await operators.callUntil(calls, () => true));
    const { answers, errors } = await load.leave();
    const wrong = [...errors, ...operators.errors];
    return [
      { what: `${what}: condition`, figure: `${type} ${reason}`, bar: `${reasons}`, holds: reasons.test(reason) },
      {
        what: `${what}: requests and calls`,
        figure: wrong[0] ?? `${answers} answers, ${load.downloads} downloads, none wrong`,
        bar: 'none cut or refused',
        holds: wrong.length === 0,
      },
      ...timeFindings(scenario, before, during, options.judged),
    ];
  } finally {
    operators.leave();
    load.end();
  }
}

const conditionIn = ({ conditions }: StateDocument, wanted: string) => conditions.find(({ type }) => type === wanted);

/** Ratios are judged; a dry run that must do without the content process has its own time limit. */
function timeFindings({ what }: Scenario, before: Times, during: Times, judged: boolean): Finding[] {
  const ratios = callKindNames.flatMap((kind) =>
    ([50, 99] as const).map((percent): Finding => {
      const [a, b] = [before.at(kind, percent), during.at(kind, percent)];
      const most = percent === 50 ? 2 : 4;
      const figure = `${a.toFixed(1)} ms, then ${b.toFixed(1)} ms: ${(b / a).toFixed(2)}×`;
      return { what: `${what}: ${kind}, p${percent}`, figure, bar: `≤ ${most}×`, holds: judged ? b / a <= most : null };
    }),
  );
  const slowest = during.at(dryRun, 100);
  const most = previewTimeoutMs + slackMs;
  const figure = `${before.at(dryRun, 50).toFixed(1)} ms, then at most ${slowest.toFixed(0)} ms`;
  return [
    ...ratios,
    { what: `${what}: ${dryRun}`, figure, bar: `≤ ${most} ms`, holds: judged ? slowest <= most : null },
  ];
}

async function calm({ what }: Scenario, node: RealNode): Promise<Finding> {
  const isGone = async () => (await node.state()).conditions.every(({ type }) => !type.startsWith('Content'));
  const gone = await until(isGone, { limitMs: calmMs + 60_000 }).then(
    () => true,
    () => false,
  );
  const figure = gone ? 'gone' : 'still there';
  return { what: `${what}: condition, five minutes later`, figure, bar: 'gone', holds: gone };
}

/** @param timeoutMs of the content process; left out: it is not what the scenario is about */
const homeWith = (more: object, judged: boolean, timeoutMs = 40_000): HomeOptions => ({
  objects: { 1: 'x'.repeat(1000), 2: Buffer.alloc(100_000, 1), 3: downloadBytes },
  publicApi: { workers: 2, niceness: judged ? 10 : 0, heartbeatMs: 200, stallTimeoutMs: 600_000 },
  operatorApi: { previewTimeoutMs },
  more: { content: { timeoutMs, niceness: judged ? 15 : 0 }, intervals: { checkCatalogueMs: 100 }, ...more },
});

const served: Scenario['load'] = {
  paths: [1, 1, 1, 2].map(asset),
  status: 200,
  download: { path: asset(3), bytes: downloadBytes },
};

const crash = (home: HomeOptions, appears: Scenario['appears']) => ({
  ...{ home, appears, load: served, isCrash: true },
  start: () => ({}),
  remedy: async () => {},
});

async function signalContent(node: RealNode, signal: NodeJS.Signals): Promise<void> {
  let pid = 0;
  await until(async () => {
    pid = (await node.state()).directory?.pid ?? 0;
    return pid !== 0;
  });
  process.kill(pid, signal);
}

/** Objects 1 to 3, and so many more that are the file of the first. */
async function writeCatalogue({ path }: Home, name: string, more: number): Promise<void> {
  const buckets = ['1:0'];
  const objects = [1, 2, 3].map((id) => ({ id: String(id), file: String(id), buckets }));
  for (let at = 0; at < more; at += 1) objects.push({ id: String(1000 + at), file: '1', buckets });
  const workers = [{ id: 0, buckets }];
  const lines = [...objects, { worker: 0, buckets }].map((line) => `${JSON.stringify(line)}\n`);
  const text = name.endsWith('.yml') ? JSON.stringify({ objects, workers }) : lines.join('');
  await writeFile(join(path, `${name}~`), text);
  await rename(join(path, `${name}~`), join(path, name));
}

const scenarios: Readonly<Record<ContentCause, (options: ContentIsolationOptions) => Promise<Scenario>>> = {
  stopped: async ({ judged, contentTimeoutMs }) => ({
    what: 'content process stopped',
    ...crash(homeWith({}, judged, contentTimeoutMs), ['ContentCrashed', /^Unresponsive$/]),
    cause: (_, node) => signalContent(node, 'SIGSTOP'),
  }),
  killed: async ({ judged }) => ({
    what: 'content process killed',
    ...crash(homeWith({}, judged), ['ContentCrashed', /^SIGKILL$/]),
    cause: (_, node) => signalContent(node, 'SIGKILL'),
  }),
  // The thread that parses the catalogue ends; the content process goes on.
  memory: async ({ judged }) => ({
    ...{ what: 'no memory for the catalogue', load: served, isCrash: false },
    home: homeWith({}, judged),
    start: () => ({ nodeOptions: `--max-old-space-size=${heapMegabytes}` }),
    cause: (home) => writeCatalogue(home, 'catalogue.yml', 60_000),
    appears: ['CatalogueInvalid', /^Unreadable$/],
    remedy: (home) => writeCatalogue(home, 'catalogue.yml', 0),
  }),
  disk: async ({ judged }) => {
    let disk: ReturnType<typeof smallDisk> | undefined;
    const objects = 20_000;
    return {
      ...{ what: 'disk full', load: served, isCrash: false },
      home: homeWith({ catalogue: './catalogue.ndjson' }, judged),
      start: async (home) => {
        await writeCatalogue(home, 'catalogue.ndjson', 0);
        disk = smallDisk(home);
        return disk.options;
      },
      cause: async (home, node) => {
        await disk?.fill(node);
        await writeCatalogue(home, 'catalogue.ndjson', objects);
      },
      appears: ['IndexNotWritten', /^(DiskFull|WriteFailed)$/],
      remedy: async (home, node) => {
        await disk?.free(node);
        await writeCatalogue(home, 'catalogue.ndjson', 10);
      },
    };
  },
  squid: async ({ judged }) => {
    const double = await startSquidDouble(worldOf({ bags: 50, objects: 4 }));
    const squid = { pageTimeoutMs: 1000, syncEverySec: 1 };
    const limits = { outboundRequestsTimeoutMs: 500 };
    return {
      ...{ what: 'squid hangs', isCrash: false, start: () => ({}), end: () => double.stop() },
      home: homeWith({ catalogue: undefined, endpoints: { storageSquid: double.url }, squid, limits }, judged),
      // The network's copies are not fetched yet, so an object of this node is one without a copy.
      load: { paths: [1, 7, 100, 200].map(asset), status: 502, download: null },
      cause: async () => {
        double.fault = () => 'hang';
      },
      appears: ['SquidUnreachable', /^NoAnswer$/],
      remedy: async () => {
        double.fault = null;
      },
    };
  },
};
