// Calls of one operator, one at a time, and how long they take.
import { Agent, request } from 'node:http';

export interface CallAnswer {
  readonly status: number;
  readonly document: unknown;
}

/** One kept-alive connection to the operator API. */
export class Operator {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  call(method: string, path: string): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: this.#headers };
      request(`${this.#url}/api/v1/${path}`, options, async (res) => {
        const text = Buffer.concat(await res.toArray()).toString();
        resolve({ status: res.statusCode ?? 0, document: JSON.parse(text) });
      })
        .once('error', reject)
        .end();
    });
  }

  leave(): void {
    this.#agent.destroy();
  }
}

/** In milliseconds, by kind of call. */
export class Times {
  readonly #of = new Map<string, number[]>();

  add(kind: string, ms: number): void {
    const list = this.#of.get(kind);
    if (list) list.push(ms);
    else this.#of.set(kind, [ms]);
  }

  take(others: Times): void {
    for (const [kind, list] of others.#of) for (const ms of list) this.add(kind, ms);
  }

  count(kind: string): number {
    return this.#of.get(kind)?.length ?? 0;
  }

  at(kind: string, percent: number): number {
    const sorted = [...(this.#of.get(kind) ?? [])].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
  }
}
