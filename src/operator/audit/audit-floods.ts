// Limits floods of refusals: of each status, the first few are entries of their own, the rest one summary per interval.
import type { Audit, AuditEntry } from './audit-entry.ts';
import { isRefusal } from './audit-refusals.ts';

export interface FloodOptions {
  /** Refusals of a status that are written individually in an interval. */
  readonly singly: number;
  readonly intervalMs: number;
}

export interface FloodGate {
  readonly audit: Audit;
  /** Write the summaries of what has been counted so far. */
  flush(): void;
}

/** A summary names at most this many addresses and reasons; the rest count as "others". */
const namedAtMost = 10;
/** Bounds the memory: further addresses count as "others". */
const countedAtMost = 1000;

/** @param write receives every other entry, and refusals as limited */
export function floodGate(write: Audit, options: FloodOptions): FloodGate {
  const gates = new Map<number, FloodGate>();
  return {
    audit(entry) {
      if (!isRefusal(entry)) return write(entry);
      const gate = gates.get(entry.status) ?? gateOfOneStatus(write, options);
      gates.set(entry.status, gate);
      return gate.audit(entry);
    },
    flush() {
      for (const gate of gates.values()) gate.flush();
    },
  };
}

function gateOfOneStatus(write: Audit, { singly, intervalMs }: FloodOptions): FloodGate {
  let passed = 0;
  let refused: Refusals | null = null;
  let timer: NodeJS.Timeout | null = null;

  function begin(alreadyPassed: number): void {
    passed = alreadyPassed;
    timer = setTimeout(end, intervalMs).unref();
  }

  /** During a flood no refusal is written individually; an interval without refusals ends it. */
  function end(): void {
    timer = null;
    if (refused !== null) begin(singly);
    flush();
  }

  function flush(): void {
    const pending = refused;
    refused = null;
    if (pending !== null) void write(pending.entry);
  }

  return {
    audit(entry) {
      if (timer === null) begin(0);
      if (passed < singly) {
        passed += 1;
        return write(entry);
      }
      refused ??= new Refusals(entry);
      refused.count(entry);
    },
    flush,
  };
}

class Refusals {
  readonly #status: number;
  readonly #since: string;
  #until: string;
  #count = 0;
  readonly #from = new Map<string, number>();
  readonly #subs = new Map<string, number>();
  readonly #details = new Map<string, number>();

  constructor({ at, status }: AuditEntry) {
    this.#status = status;
    this.#since = this.#until = at;
  }

  count({ at, from, sub, detail }: AuditEntry): void {
    this.#count += 1;
    this.#until = at;
    add(this.#from, from ?? 'unknown');
    add(this.#subs, sub ?? '');
    add(this.#details, detail ?? 'unknown');
  }

  get entry(): AuditEntry {
    const count = this.#count;
    const summary = { count, since: this.#since, until: this.#until };
    return {
      at: this.#until,
      from: onlyOf(this.#from),
      sub: onlyOf(this.#subs) || null,
      ...{ kind: null, jti: null, method: '', command: null, input: null, status: this.#status },
      detail: `${count} further requests were refused`,
      ...{ before: null, after: null },
      summary: { ...summary, from: mostOf(this.#from), details: mostOf(this.#details) },
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  const counted = counts.has(name) || counts.size < countedAtMost ? name : 'others';
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
}

/** Null where there are several. */
const onlyOf = (counts: ReadonlyMap<string, number>): string | null =>
  counts.size === 1 ? ([...counts.keys()][0] ?? null) : null;

function mostOf(counts: ReadonlyMap<string, number>): Record<string, number> {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const named = new Map(sorted.slice(0, namedAtMost));
  for (const [, count] of sorted.slice(namedAtMost)) named.set('others', (named.get('others') ?? 0) + count);
  return Object.fromEntries(named);
}
