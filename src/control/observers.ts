// Notifies observers of the node about the machine's steps, raised and cleared conditions, and other changes.
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
  /** Event and transitions of the step in progress. */
  #event = '';
  #transitions: AnyTransitionDefinition[] = [];
  #last: NodeStatus | null = null;
  #current = new Map<string, DatedCondition>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns a function that unsubscribes */
  add(listener: (observation: Observation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For the machine's `inspect`: records the transitions of the step in progress. */
  inspected(inspection: InspectionEvent): void {
    // Effects are actors without microsteps.
    if (inspection.type !== '@xstate.microstep') return;
    // Events raised within a step belong to the event that triggered it.
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
      this.#notify({ type: 'step', at: this.#at(), event: text, from, to, active: activeIds(snapshot), taken });
    }
    this.changed();
  }

  /** @param conditions all current conditions */
  compared(conditions: readonly DatedCondition[]): void {
    const before = this.#current;
    this.#current = new Map(conditions.map((condition) => [condition.type, condition]));
    for (const [type, condition] of before) if (!this.#current.has(type)) this.#condition('cleared', condition);
    for (const condition of this.#current.values()) {
      const old = before.get(condition.type);
      if (old === undefined) this.#condition('raised', condition);
      else if (!isSame(old, condition)) this.#condition('changed', condition);
    }
  }

  changed(): void {
    this.#notify({ type: 'changed' });
  }

  #condition(change: 'raised' | 'changed' | 'cleared', condition: DatedCondition): void {
    this.#notify({ type: 'condition', at: this.#at(), change, condition });
    this.changed();
  }

  #notify(observation: Observation): void {
    for (const listener of [...this.#listeners]) listener(observation);
  }

  #at(): string {
    return new Date(this.#now()).toISOString();
  }
}

const isSame = (a: DatedCondition, b: DatedCondition): boolean =>
  a.reason === b.reason && a.message === b.message && a.since === b.since;
