// Rounds of one directory: a change, a kill, a restart, and what must then be true.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../machines/settings.ts';
import { messageOf, NotReachable } from '../../src/base/errors.ts';
import { indexFolder, openStoreReader } from '../../src/store/index-folder.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';
import type { Dice } from './dice.ts';
import { bucketIds, type Change, type ChangingDirectory, someBuckets } from './directory-answers.ts';
import { bigFileBytes } from './directory-catalogue.ts';
import { type Outages, Viewers } from './directory-viewers.ts';
import { bytesIn, readBytes, residentBytes } from './process-readings.ts';
import type { Say } from './proof.ts';

const viewers = 3;
/** After more kills in a row, the content process is started again only after seconds. */
const contentKillsOfNode = 3;

export interface Sums {
  contentKills: number;
  nodeKills: number;
  commands: number;
  unanswered: number;
  answers: number;
  counts: Record<string, number>;
  failed: number;
  /** Of each round, in bytes: the index on disk, and the largest process. */
  readonly indexBytes: number[];
  readonly residentBytes: number[];
  /** The most that a content process read that had nothing new but the changes. */
  mostReadBytes: number;
}

export const noSums = (): Sums => ({
  ...{ contentKills: 0, nodeKills: 0, commands: 0, unanswered: 0, answers: 0, counts: {}, failed: 0 },
  ...{ indexBytes: [], residentBytes: [], mostReadBytes: 0 },
});

/** @returns errors; none: everything held */
export async function runRounds(directory: ChangingDirectory, count: number, dice: Dice, sums: Sums, say: Say) {
  const home = await Home.make(await homeOf(directory));
  await directory.prepare(home);
  const rounds = new Rounds(home, directory, dice, sums);
  try {
    await rounds.begin();
    for (let done = 0; done < count && rounds.errors.length === 0; done += 1) {
      say(`${directory.name}, round ${done + 1}: ${rounds.answers} answers, ${sums.commands} commands`);
      await rounds.round();
    }
  } catch (error) {
    rounds.errors.push(messageOf(error));
  } finally {
    await rounds.end();
    await directory.remove();
    await home.remove();
  }
  return rounds.errors.map((error) => `${directory.name}: ${error}`);
}

async function homeOf(directory: ChangingDirectory) {
  const options = await directory.home();
  const publicApi = { workers: 2, idleGraceMs: 50, drainTimeoutSec: 2 };
  return {
    ...options,
    publicApi,
    more: { logs: { console: { level: 'info' } }, content: { niceness: 0 }, ...options.more },
  };
}

class Rounds {
  readonly errors: string[] = [];
  readonly #home: Home;
  readonly #directory: ChangingDirectory;
  readonly #dice: Dice;
  readonly #sums: Sums;
  readonly #outages: Outages = { nodeKills: 0, isDown: false, kills: 0, isCatchingUp: false, up: Promise.resolve() };
  readonly #viewers: Viewers;
  /** Processes that were killed, or that lost the node that was. */
  readonly #killed = new Set<number>();
  #node: RealNode | null = null;
  #contentPid = 0;
  #contentKillsOfNode = 0;
  /** The first content process reads everything. */
  #firstPid = 0;

  constructor(home: Home, directory: ChangingDirectory, dice: Dice, sums: Sums) {
    this.#home = home;
    this.#directory = directory;
    this.#dice = dice;
    this.#sums = sums;
    this.#viewers = new Viewers(home.port, directory, this.#outages, (error) => this.#fail(error));
  }

  get answers(): number {
    return this.#viewers.answers;
  }

  async begin(): Promise<void> {
    await this.#start();
    await this.#catchUp(0);
    this.#firstPid = this.#contentPid;
    this.#viewers.come(viewers, this.#dice);
  }

  async end(): Promise<void> {
    this.#outages.isDown = true;
    await this.#viewers.leave();
    await this.#node?.end();
    const { counts, answers, failed } = this.#viewers;
    for (const [word, number] of Object.entries(counts)) {
      this.#sums.counts[word] = (this.#sums.counts[word] ?? 0) + number;
    }
    this.#sums.answers += answers;
    this.#sums.failed += failed;
  }

  async round(): Promise<void> {
    const dice = this.#dice;
    const what: Change = dice.chance(0.1) ? 'nothing' : dice.chance(0.4) ? 'all' : 'some';
    const commands = new AbortController();
    await this.#directory.change(what);
    const commanding = what === 'some' ? this.#command(commands.signal) : Promise.resolve();
    await this.#directory.someInstant();
    const isContent = this.#contentKillsOfNode < contentKillsOfNode && dice.chance(0.7);
    this.#outages.kills += 1;
    this.#outages.isCatchingUp = true;
    if (isContent) {
      this.#killContent();
      if (what === 'some' && dice.chance(0.5)) await this.#directory.change(what);
      commands.abort();
      await commanding;
    } else await this.#killNode(what, commanding);
    await this.#checkSettings();
    await this.#catchUp(isContent ? 1 : 2);
  }

  #fail(error: string): void {
    if (this.errors.length < 5) this.errors.push(error);
  }

  async #start(): Promise<void> {
    this.#node = await this.#home.start();
    this.#contentKillsOfNode = 0;
  }

  get #running(): RealNode {
    return this.#node as RealNode;
  }

  #killContent(): void {
    this.#noteRead();
    this.#sums.contentKills += 1;
    this.#contentKillsOfNode += 1;
    this.#kill(this.#contentPid);
  }

  async #killNode(what: Change, commanding: Promise<void>): Promise<void> {
    const dice = this.#dice;
    const node = this.#running;
    const children = [...(await node.workerPids()), this.#contentPid];
    this.#noteRead();
    this.#sums.nodeKills += 1;
    this.#outages.nodeKills += 1;
    this.#outages.isDown = true;
    let isUp = () => {};
    this.#outages.up = new Promise<void>((resolve) => {
      isUp = resolve;
    });
    this.#checkCrashes();
    for (const pid of children) this.#killed.add(pid);
    // All processes, as when the power fails; or the others find out by themselves.
    node.signal('SIGKILL');
    if (dice.chance(0.5)) for (const pid of children) this.#kill(pid);
    await node.exited;
    await commanding;
    if (what === 'some' && dice.chance(0.3)) await this.#directory.change(what);
    if (dice.chance(0.3)) {
      const starting = this.#home.launch();
      await sleep(dice.below(1200));
      starting.signal('SIGKILL');
      await starting.exited;
    }
    await this.#start();
    this.#outages.isDown = false;
    isUp();
  }

  #kill(pid: number): void {
    this.#killed.add(pid);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has exited by itself.
    }
  }

  /** One command after another, until the signal or the end of the node. */
  async #command(signal: AbortSignal): Promise<void> {
    const { settings } = this.#directory;
    while (!signal.aborted) {
      const change = this.#someSettings();
      const number = settings.sending(change);
      const { workerId, buckets } = change;
      try {
        const { status, document } =
          workerId === undefined
            ? await this.#running.command('set-buckets', buckets ? { buckets } : {})
            : await this.#running.command('set-worker', { workerId });
        if (status !== 200) return this.#fail(`settings: ${status} ${JSON.stringify(document)}`);
        settings.acknowledged(number);
        this.#sums.commands += 1;
      } catch (error) {
        if (!(error instanceof NotReachable) || !this.#outages.isDown) throw error;
        this.#sums.unanswered += 1;
        return;
      }
      await sleep(this.#dice.below(60), undefined, { signal }).catch(() => {});
    }
  }

  #someSettings(): Partial<Settings> {
    const dice = this.#dice;
    if (dice.chance(0.4)) return { workerId: dice.below(2) };
    return { buckets: dice.chance(0.4) ? null : dice.chance(0.2) ? [...bucketIds] : someBuckets(dice) };
  }

  async #checkSettings(): Promise<void> {
    const { settings: actual } = await this.#running.state();
    if (!this.#directory.settings.settle(actual))
      this.#fail(`acknowledged settings are lost: ${JSON.stringify(actual)}`);
  }

  /** Resolves when the index equals the directory, and nothing is left to be read. */
  async #catchUp(kills: number): Promise<void> {
    const directory = this.#directory;
    await until(async () => {
      const pid = (await this.#running.state()).directory?.pid ?? 0;
      const isNew = pid !== 0 && !this.#killed.has(pid);
      if (isNew) this.#contentPid = pid;
      return isNew;
    });
    const index = openStoreReader(this.#home.statePath);
    try {
      await until(() => Promise.resolve(directory.mismatch(index) === null), { seen: () => directory.mismatch(index) });
      await directory.settled(index);
      this.#outages.isCatchingUp = false;
      const needless = directory.needless(index, kills);
      if (needless !== null) this.#fail(needless);
    } finally {
      await index.close();
    }
    this.#noteRead();
    await this.#checkNode();
  }

  async #checkNode(): Promise<void> {
    const wrong = async () => (await this.#running.state()).conditions.filter(({ type }) => !harmless.has(type));
    // The content process reports them after a moment.
    let last: unknown;
    await until(
      async () => {
        last = await wrong();
        return (last as unknown[]).length === 0;
      },
      { seen: () => JSON.stringify(last) },
    );
    const { lastCrash, workers } = await this.#running.state();
    if (lastCrash && lastCrash.what !== 'control' && !this.#killed.has(lastCrash.pid ?? 0))
      this.#fail(lastCrash.message);
    this.#checkCrashes();
    const unused = readdirSync(this.#home.statePath).filter((name) => name.startsWith('index.'));
    if (unused.length > 0) this.#fail(`the index was renamed: ${unused}`);
    this.#sums.indexBytes.push(bytesIn(indexFolder(this.#home.statePath)));
    const pids = [this.#running.pid, this.#contentPid, ...workers.map(({ pid }) => pid)];
    this.#sums.residentBytes.push(Math.max(...pids.map(residentBytes)));
  }

  /** Every process that ended did so because it was killed here. */
  #checkCrashes(): void {
    for (const line of this.#running.log.split('\n')) {
      const { reason, pid, msg } = line.includes('"reason"') ? JSON.parse(line) : {};
      if (reason !== undefined && !this.#killed.has(pid)) this.#fail(`a crash that was no kill: ${msg}`);
    }
  }

  /** A content process that hashed a file again would have read the file. */
  #noteRead(): void {
    if (this.#contentPid === 0 || this.#contentPid === this.#firstPid || this.#firstPid === 0) return;
    const bytes = readBytes(this.#contentPid);
    this.#sums.mostReadBytes = Math.max(this.#sums.mostReadBytes, bytes);
    if (bytes >= bigFileBytes) this.#fail(`a content process read ${bytes} bytes: it hashed an unchanged file again`);
  }
}

/** What the kills and the changes themselves bring about. */
const harmless = new Set(['ContentCrashed', 'MissingFiles', 'NothingDistributed', 'UnknownBuckets']);
