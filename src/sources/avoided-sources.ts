// Sources that have misbehaved: they are avoided for a while, and named in a condition.
import { type Condition, condition } from '../base/condition.ts';
import { printable } from '../base/printable.ts';
import type { SourceFault } from './source-fault.ts';

export interface AvoidedOptions {
  readonly avoidMs: number;
  readonly monotonicMs: () => number;
  /** The condition has changed. */
  readonly onChange: () => void;
}

/** `last`: the source is tried after all others. `never`: it is not tried. */
export type Avoidance = 'no' | 'last' | 'never';

interface Avoided {
  readonly fault: SourceFault;
  readonly untilMs: number;
}

/** Maximum number of sources remembered: beyond it, the one that misbehaved longest ago is forgotten. */
const maxAvoided = 1000;
/** Maximum number of sources that a condition names, and maximum length of each name. */
const maxNamed = 5;
const maxNameLength = 200;

export class AvoidedSources {
  readonly #options: AvoidedOptions;
  /** Ordered by expiry. */
  readonly #avoided = new Map<string, Avoided>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AvoidedOptions) {
    this.#options = options;
  }

  add(source: string, fault: SourceFault): void {
    const { avoidMs, monotonicMs, onChange } = this.#options;
    this.#avoided.delete(source);
    const [oldest] = this.#avoided.keys();
    if (this.#avoided.size >= maxAvoided && oldest !== undefined) this.#avoided.delete(oldest);
    this.#avoided.set(source, { fault, untilMs: monotonicMs() + avoidMs });
    this.#timer ??= setTimeout(() => this.#forget(), avoidMs).unref();
    onChange();
  }

  /** A source that had failed works again. A source that was wrong is avoided until its time is over. */
  works(source: string): void {
    if (this.#avoided.get(source)?.fault.kind !== 'failed') return;
    this.#avoided.delete(source);
    this.#options.onChange();
  }

  of(source: string): Avoidance {
    const avoided = this.#avoided.get(source);
    if (avoided === undefined || avoided.untilMs <= this.#options.monotonicMs()) return 'no';
    return avoided.fault.kind === 'wrong' ? 'never' : 'last';
  }

  /** Null: no source is avoided. */
  get condition(): Condition | null {
    const all = [...this.#avoided].reverse();
    const [latest] = all;
    if (latest === undefined) return null;
    const named = all.slice(0, maxNamed).map(([source, { fault }]) => `${shown(source)} ${fault.message}`);
    const more = all.length > maxNamed ? [`and ${all.length - maxNamed} more`] : [];
    return condition('SourceFailing', latest[1].fault.reason, `${[...named, ...more].join('; ')}.`);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#avoided.clear();
  }

  #forget(): void {
    const now = this.#options.monotonicMs();
    const before = this.#avoided.size;
    for (const [source, { untilMs }] of this.#avoided) if (untilMs <= now) this.#avoided.delete(source);
    const [next] = this.#avoided.values();
    this.#timer = next && setTimeout(() => this.#forget(), Math.max(1, next.untilMs - now)).unref();
    if (this.#avoided.size !== before) this.#options.onChange();
  }
}

const shown = (source: string): string => {
  const text = printable(source);
  return text.length > maxNameLength ? `${text.slice(0, maxNameLength)}…` : text;
};
