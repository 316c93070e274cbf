// Viewers of a node that is killed: every answer is judged, and a request fails only while the node is down.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';
import type { ChangingDirectory, Seen } from './directory-answers.ts';
import { hitOf } from './directory-answers.ts';

/** So that viewers leave time for the node's own work. */
const pauseMs = 4;

/** What the viewers know of the kills. */
export interface Outages {
  /** Kills of the node, and whether it is down now. */
  nodeKills: number;
  isDown: boolean;
  /** Kills of any process, and whether the node has not caught up since. */
  kills: number;
  isCatchingUp: boolean;
  /** Resolves when the node is up again. */
  up: Promise<unknown>;
}

export class Viewers {
  readonly counts: Record<string, number> = {};
  failed = 0;
  readonly #port: number;
  readonly #directory: ChangingDirectory;
  readonly #outages: Outages;
  readonly #report: (error: string) => void;
  readonly #agents: Agent[] = [];
  readonly #lives: Promise<void>[] = [];
  #leaving = false;

  constructor(port: number, directory: ChangingDirectory, outages: Outages, report: (error: string) => void) {
    this.#port = port;
    this.#directory = directory;
    this.#outages = outages;
    this.#report = report;
  }

  come(count: number, dice: Dice): void {
    for (let number = 0; number < count; number += 1) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      this.#agents.push(agent);
      this.#lives.push(this.#live(agent, dice));
    }
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#lives);
    for (const agent of this.#agents) agent.destroy();
  }

  get answers(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  async #live(agent: Agent, dice: Dice): Promise<void> {
    while (!this.#leaving) {
      await this.#ask(agent, dice.pick(this.#directory.ids));
      await sleep(dice.below(2 * pauseMs));
    }
  }

  async #ask(agent: Agent, id: string): Promise<void> {
    const { nodeKills, isDown, kills, isCatchingUp } = this.#outages;
    const from = this.#directory.moment(id);
    let seen: Seen;
    try {
      seen = await see(agent, this.#port, id);
    } catch (error) {
      this.failed += 1;
      if (isDown || nodeKills < this.#outages.nodeKills) await this.#outages.up;
      else this.#report(`object ${id}: ${error} while the node was up`);
      return;
    }
    const [kind = ''] = seen.words.split(' ');
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    const wrong = this.#directory.judge(id, from, seen, isCatchingUp || kills < this.#outages.kills);
    if (wrong !== null) this.#report(`object ${id}: ${seen.words}, not ${wrong}`);
  }
}

/** @throws where the answer did not come, or not as a whole */
function see(agent: Agent, port: number, id: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: `/api/v1/assets/${id}`, agent };
    const asking = request(options, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.once('error', reject);
      res.once('end', () => {
        const body = Buffer.concat(parts);
        const { etag } = res.headers;
        if (res.statusCode === 200) return resolve({ words: hitOf(body), etag });
        try {
          resolve({ words: JSON.parse(body.toString()).type, etag });
        } catch {
          reject(new Error(`status ${res.statusCode}`));
        }
      });
    });
    asking.once('error', reject).end();
  });
}
