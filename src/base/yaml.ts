// Parses YAML, and maps values back to their lines.
import { constructFromEvents, EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import { messageOf } from './errors.ts';

/** Keys and indexes from the document's root down to a value. */
export type ValuePath = readonly (string | number)[];

export interface YamlText {
  /** The one document in the text, with YAML 1.2's core schema; duplicate keys are refused. Undefined: there is none. */
  readonly value: unknown;
  /** The line, from 1, of a value, or of the nearest value if there is none at the path. */
  lineOf(path: ValuePath): number;
}

/** Text that is not one YAML document; `line` is null if unknown. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly line: number | null;

  constructor(message: string, line: number | null) {
    super(message);
    this.line = line;
  }
}

/** @throws {YamlError} */
export function parseYaml(source: string): YamlText {
  try {
    const events = parseEvents(source, {});
    const documents = constructFromEvents(events, { source });
    if (documents.length > 1) {
      const second = events.findIndex(({ type }, at) => at > 0 && type === EVENT_ID.DOCUMENT) + 1;
      throw new YamlError('holds more than one document', lineAt(source, startAt(events, second)));
    }
    return { value: documents[0], lineOf: (path) => lineAt(source, offsetOf(source, events, path)) };
  } catch (error) {
    if (error instanceof YamlError) throw error;
    if (error instanceof YAMLException) throw new YamlError(error.reason, error.mark ? error.mark.line + 1 : null);
    throw new YamlError(messageOf(error), null);
  }
}

function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** Follows the path through the flat list of events. @returns the last known position */
function offsetOf(source: string, events: readonly Event[], path: ValuePath): number {
  let at = events.findIndex(({ type }) => type !== EVENT_ID.DOCUMENT);
  let offset = startAt(events, at);
  for (const step of path) {
    const child = childOf(source, events, at, step);
    if (child === null) break;
    at = child.value;
    offset = startAt(events, child.shown);
  }
  return offset;
}

/** Where a child begins (`value`), and which position to report (`shown`: its key, in a mapping). */
function childOf(source: string, events: readonly Event[], parent: number, step: string | number) {
  const type = events[parent]?.type;
  let at = parent + 1;
  if (type === EVENT_ID.SEQUENCE && typeof step === 'number') {
    for (let index = 0; index < step && events[at]?.type !== EVENT_ID.POP; index += 1) at = after(events, at);
    return events[at]?.type === EVENT_ID.POP ? null : { value: at, shown: at };
  }
  if (type !== EVENT_ID.MAPPING) return null;
  while (at < events.length && events[at]?.type !== EVENT_ID.POP) {
    const key = events[at];
    const value = after(events, at);
    if (key?.type === EVENT_ID.SCALAR && getScalarValue(source, key) === step) return { value, shown: at };
    at = after(events, value);
  }
  return null;
}

/** The index after a node and its children. */
function after(events: readonly Event[], start: number): number {
  let depth = 0;
  for (let at = start; at < events.length; at += 1) {
    const type = events[at]?.type;
    if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) depth += 1;
    if (type === EVENT_ID.POP) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return events.length;
}

/** The position of an event; for one without a position, such as an empty entry, that of the last event that has one. */
function startAt(events: readonly Event[], index: number): number {
  for (let at = index; at >= 0; at -= 1) {
    const start = startOf(events[at]);
    if (start >= 0) return start;
  }
  return 0;
}

/** -1: not known. */
function startOf(event: Event | undefined): number {
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return event.valueStart;
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    default:
      return -1;
  }
}
