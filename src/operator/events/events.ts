// The events of a node: what happens is numbered, kept for a while, and told to every reader; nobody is ever waited for.
import type { ServerResponse } from 'node:http';
import type { MachineStep, ObservableNode, StateDocument } from '../../control/node-control.ts';
import type { AuditEntry } from '../audit/audit-entry.ts';
import { EventBuffer, eventText } from './event-buffer.ts';
import type { eventLimits } from './event-limits.ts';
import { EventReader } from './event-reader.ts';
import { type Counts, MetricsSeries } from './readings.ts';

type EventLimits = Readonly<Record<keyof typeof eventLimits | 'maxEventReaders', number>>;

export interface EventsParts {
  readonly node: ObservableNode;
  readonly counts: () => Counts;
  readonly limits: EventLimits;
  readonly now?: () => number;
}

/** Steps and changes within this time are one `machine` and one `state` event: to preview every command takes a while. */
const coalesceMs = 40;
/** How many of the last commands a new reader is told. */
const maxLastCommands = 20;
/** How long a reader waits before it comes back. */
const retryMs = 2000;

export class Events {
  readonly #node: ObservableNode;
  readonly #limits: EventLimits;
  readonly #now: () => number;
  /** Numbers of another process are not ours. */
  readonly #run: number;
  readonly #buffer: EventBuffer;
  readonly #lastCommands: EventBuffer;
  readonly #metrics: MetricsSeries;
  readonly #readers = new Set<EventReader>();
  readonly #ticking: NodeJS.Timeout;
  readonly #unobserve: () => void;
  #number = 0;
  #sender: string[] = [];
  #machineDue = false;
  #flushing: NodeJS.Immediate | undefined;
  #looking: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #step: Pick<MachineStep, 'event' | 'taken'> | null = null;
  /** What readers were last told, so that nothing is told twice. */
  #toldState = '';
  #toldDrain = false;
  #ended = false;

  constructor({ node, counts, limits, now = Date.now }: EventsParts) {
    this.#node = node;
    this.#limits = limits;
    this.#now = now;
    this.#run = now();
    this.#buffer = new EventBuffer({ maxBytes: limits.eventsBufferBytes });
    this.#lastCommands = new EventBuffer({ maxBytes: limits.eventsBufferBytes, maxCount: maxLastCommands });
    this.#metrics = new MetricsSeries(counts, now);
    this.#unobserve = node.observe((observation) => {
      if (observation.type === 'changed') return this.#changed();
      const { type, ...data } = observation;
      if (type === 'condition') return void this.#tell('condition', data);
      this.#step = observation;
      this.#tell('transition', data);
      this.#machineDue = true;
    });
    this.#ticking = setInterval(() => this.#tick(), 1000);
    this.#ticking.unref();
  }

  /** How many there are now. */
  get readers(): number {
    return this.#readers.size;
  }

  get isFull(): boolean {
    return this.#readers.size >= this.#limits.maxEventReaders;
  }

  /** A command, a refused token, or a flood of those summed up (audit-floods.ts). */
  command(entry: AuditEntry): void {
    this.#lastCommands.add(this.#tell('command', entry));
  }

  /** A request of the operator API was answered after this long. */
  answered(milliseconds: number): void {
    this.#metrics.answered(milliseconds);
  }

  /**
   * Begins with everything as it is now; from here on the response is ours.
   * @param lastEventId of a reader who comes back; '' for a new one
   * @returns what ends it
   */
  connect(response: ServerResponse, lastEventId: string): () => void {
    // What waits to be told is part of what a new reader begins with.
    const state = this.#look();
    this.#flush();
    const reader = new EventReader(response, this.#limits.eventsBacklogBytes, (gone) => this.#leave(gone));
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.#beat();
    reader.send(this.#greeting(state, lastEventId));
    if (this.#ended) reader.end();
    return () => reader.end();
  }

  /** The last event, and the end of every stream. */
  end(exitCode: number): void {
    if (this.#ended) return;
    this.#look();
    // Told to those, too, who come before the port closes.
    this.#lastCommands.add(this.#tell('end', { at: this.#at(), exitCode }));
    this.#ended = true;
    this.#flush();
    for (const reader of this.#readers) reader.end();
    this.#unobserve();
    clearInterval(this.#ticking);
    clearTimeout(this.#looking);
  }

  #greeting(state: StateDocument, lastEventId: string): string {
    const missed = this.#missed(lastEventId);
    const now = [
      `retry: ${retryMs}\n`,
      ...(missed === null ? [eventText('gap', { at: this.#at(), after: lastEventId })] : []),
      eventText('state', state),
      eventText('machine', this.#machine()),
      eventText('metrics', this.#metrics.points),
      eventText('drain', this.#drain(state)),
      ...(missed ?? this.#lastCommands.all).map(({ text }) => text),
    ];
    // An id alone tells the reader where it is, and nothing else (WHATWG HTML §9.2.6).
    return `${now.join('')}id: ${this.#id(this.#number)}\n\n`;
  }

  /** Null: not all that the reader missed is here. A new reader has missed nothing but is told the last commands. */
  #missed(lastEventId: string): ReturnType<EventBuffer['after']> {
    if (lastEventId === '') return this.#lastCommands.all;
    const [, run, number] = /^(\d{1,16})-(\d{1,16})$/.exec(lastEventId) ?? [];
    return Number(run) === this.#run ? this.#buffer.after(Number(number), this.#number) : null;
  }

  #leave(reader: EventReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) clearInterval(this.#beating);
  }

  #beat(): void {
    this.#beating = setInterval(() => this.#send(':\n\n'), this.#limits.eventsHeartbeatMs);
    this.#beating.unref();
  }

  #tick(): void {
    const point = this.#metrics.sample();
    this.#node.look();
    if (this.#readers.size === 0) return;
    this.#queue(eventText('metrics', [point]));
    const state = this.#look();
    if (state.drain) this.#tellDrain(state);
  }

  #changed(): void {
    if (this.#readers.size === 0 || this.#looking !== undefined) return;
    this.#looking = setTimeout(() => this.#look(), coalesceMs);
  }

  /** Tells where the machine is if it has moved, and the state if it is another than the one last told. */
  #look(): StateDocument {
    clearTimeout(this.#looking);
    this.#looking = undefined;
    if (this.#machineDue && this.#readers.size > 0) this.#queue(eventText('machine', this.#machine()));
    this.#machineDue = false;
    const { state } = this.#node;
    const text = eventText('state', state);
    if (text !== this.#toldState) this.#queue(text);
    this.#toldState = text;
    if (this.#toldDrain !== (state.drain !== null)) this.#tellDrain(state);
    return state;
  }

  #tellDrain(state: StateDocument): void {
    this.#toldDrain = state.drain !== null;
    this.#queue(eventText('drain', this.#drain(state)));
  }

  #drain({ drain }: StateDocument) {
    return { at: this.#at(), drain };
  }

  #machine() {
    const { event = null, taken = [] } = this.#step ?? {};
    const { active, commands } = this.#node.machine;
    return { at: this.#at(), active, taken, event, commands };
  }

  #tell(name: string, data: object) {
    this.#number += 1;
    const event = { number: this.#number, text: eventText(name, data, this.#id(this.#number)) };
    this.#buffer.add(event);
    this.#queue(event.text);
    return event;
  }

  /** Whoever tells is in the middle of something: readers hear of it afterwards. */
  #queue(text: string): void {
    if (this.#ended || this.#readers.size === 0) return;
    this.#sender.push(text);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const text = this.#sender.join('');
    this.#sender = [];
    if (text !== '') this.#send(text);
  }

  #send(text: string): void {
    for (const reader of this.#readers) reader.send(text);
  }

  #id(number: number): string {
    return `${this.#run}-${number}`;
  }

  #at(): string {
    return new Date(this.#now()).toISOString();
  }
}
