// Floods of refused tokens: the first few are told one by one, then one entry for all of an interval, while it lasts.
import type { Audit, AuditEntry } from './audit-entry.ts';

export interface FloodOptions {
  /** Refused tokens told one by one in an interval. */
  readonly singly: number;
  readonly intervalMs: number;
}

export interface FloodGate {
  readonly audit: Audit;
  /** Tell now what has been counted so far. */
  flush(): void;
}

/** A summary names this many addresses and reasons at most; the rest count as «others». */
const namedAtMost = 10;
/** A flood from everywhere must not fill the memory: further addresses count as «others». */
const countedAtMost = 1000;

/** @param tell is given every entry that is no refused token, and of those what this file's first line says */
export function floodGate(tell: Audit, { singly, intervalMs }: FloodOptions): FloodGate {
  let passed = 0;
  let refused: Refusals | null = null;
  let timer: NodeJS.Timeout | null = null;

  function begin(alreadyPassed: number): void {
    passed = alreadyPassed;
    timer = setTimeout(end, intervalMs).unref();
  }

  /** While a flood lasts, nobody is told of singly; an interval without one ends it. */
  function end(): void {
    timer = null;
    if (refused !== null) begin(singly);
    flush();
  }

  function flush(): void {
    const told = refused;
    refused = null;
    if (told !== null) void tell(told.entry);
  }

  return {
    audit(entry) {
      if (entry.status !== 401) return tell(entry);
      if (timer === null) begin(0);
      if (passed < singly) {
        passed += 1;
        return tell(entry);
      }
      refused ??= new Refusals(entry.at);
      refused.count(entry);
    },
    flush,
  };
}

class Refusals {
  readonly #since: string;
  #until: string;
  #count = 0;
  readonly #from = new Map<string, number>();
  readonly #details = new Map<string, number>();

  constructor(since: string) {
    this.#since = this.#until = since;
  }

  count({ at, from, detail }: AuditEntry): void {
    this.#count += 1;
    this.#until = at;
    add(this.#from, from ?? 'unknown');
    add(this.#details, detail ?? 'unknown');
  }

  get entry(): AuditEntry {
    const count = this.#count;
    const summary = { count, since: this.#since, until: this.#until };
    return {
      at: this.#until,
      from: this.#from.size === 1 ? ([...this.#from.keys()][0] ?? null) : null,
      ...{ kind: null, sub: null, jti: null, method: '', command: null, input: null, status: 401 },
      detail: `${count} further tokens were refused`,
      ...{ before: null, after: null },
      summary: { ...summary, from: mostOf(this.#from), details: mostOf(this.#details) },
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  const counted = counts.has(name) || counts.size < countedAtMost ? name : 'others';
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
}

function mostOf(counts: ReadonlyMap<string, number>): Record<string, number> {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const named = new Map(sorted.slice(0, namedAtMost));
  for (const [, count] of sorted.slice(namedAtMost)) named.set('others', (named.get('others') ?? 0) + count);
  return Object.fromEntries(named);
}
