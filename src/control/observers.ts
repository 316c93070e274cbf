// Who watches the node: tells them of the machine's steps, of conditions that come and go, and that anything has changed.
import type { AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { triggerOf } from '../../machines/diagram/diagram.ts';
import { activeIds, transitionTrace } from '../../machines/diagram/trace.ts';
import { type NodeSnapshot, type NodeStatus, statusOf } from '../../machines/judge.ts';
import { nodeOutline } from '../../machines/node-diagram.ts';
import type { DatedCondition } from '../base/condition.ts';
import type { Observation } from './node-control.ts';

export class Observers {
  readonly #listeners = new Set<(observation: Observation) => void>();
  readonly #now: () => number;
  /** Of the step under way. */
  #event = '';
  #transitions: AnyTransitionDefinition[] = [];
  #last: NodeStatus | null = null;
  #standing = new Map<string, DatedCondition>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns what ends it */
  add(listener: (observation: Observation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For the machine's `inspect`: remembers what the step under way consists of. */
  inspected(inspection: InspectionEvent): void {
    // The effects' own actors have no such steps.
    if (inspection.type !== '@xstate.microstep') return;
    // What a step raises within itself belongs to what set it off.
    if (this.#transitions.length === 0) this.#event = inspection.event.type;
    this.#transitions.push(...inspection._transitions);
  }

  /** After each step of the machine. */
  stepped(snapshot: NodeSnapshot): void {
    const [event, transitions] = [this.#event, this.#transitions];
    this.#transitions = [];
    const to = statusOf(snapshot);
    const from = this.#last ?? to;
    this.#last = to;
    if (this.#listeners.size === 0) return;
    const taken = transitionTrace(transitions, nodeOutline);
    if (taken.length > 0) {
      const { text } = triggerOf({ eventType: event });
      this.#tell({ type: 'step', at: this.#at(), event: text, from, to, active: activeIds(snapshot), taken });
    }
    this.changed();
  }

  /** @param conditions all that stand now */
  compared(conditions: readonly DatedCondition[]): void {
    const before = this.#standing;
    this.#standing = new Map(conditions.map((condition) => [condition.type, condition]));
    for (const [type, condition] of before) if (!this.#standing.has(type)) this.#condition('cleared', condition);
    for (const condition of this.#standing.values()) {
      const old = before.get(condition.type);
      if (old === undefined) this.#condition('raised', condition);
      else if (!isSame(old, condition)) this.#condition('changed', condition);
    }
  }

  changed(): void {
    this.#tell({ type: 'changed' });
  }

  #condition(change: 'raised' | 'changed' | 'cleared', condition: DatedCondition): void {
    this.#tell({ type: 'condition', at: this.#at(), change, condition });
    this.changed();
  }

  #tell(observation: Observation): void {
    for (const listener of [...this.#listeners]) listener(observation);
  }

  #at(): string {
    return new Date(this.#now()).toISOString();
  }
}

const isSame = (a: DatedCondition, b: DatedCondition): boolean =>
  a.reason === b.reason && a.message === b.message && a.since === b.since;
