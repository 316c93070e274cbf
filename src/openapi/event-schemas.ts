// Schemas of the events of `GET /events`.
import { commandNames } from '../../machines/commands.ts';
import { count, list, object, oneOf, only, orNull, ref, type Schema, text, time } from './schema.ts';
import { metricsPoint, nodeStatus } from './state-schemas.ts';

const ids = list(text(), 'ids of states or edges, as in the diagrams of the machine');

const moment = orNull(object({ ...nodeStatus, generation: count() }), 'null: the command did not reach the machine');

const commandPreview: Schema = {
  oneOf: [
    object({ legal: only(true), leadsTo: ids, through: list(ids, 'the states that each step enters') }),
    object({ legal: only(false), reason: text('the reason, as the machine gives it') }),
  ],
};

const auditEntry = object(
  {
    at: time(),
    from: orNull(text(), 'address of the client'),
    kind: orNull(oneOf(['access', 'request']), 'kind of token; null: the token was refused'),
    sub: orNull(text()),
    jti: orNull(text()),
    method: text('HTTP method, or the signal that caused a shutdown'),
    command: orNull(ref('CommandName'), 'null: a read'),
    input: { description: 'the body, if it was valid' },
    status: { type: 'integer' },
    detail: orNull(text(), 'detail of the problem; null: the command succeeded'),
    before: moment,
    after: moment,
    'requestId?': orNull(text()),
    'summary?': object({
      count: count(),
      since: time(),
      until: time(),
      from: { type: 'object', additionalProperties: count() },
      details: { type: 'object', additionalProperties: count() },
    }),
  },
  'A command, a refused token, or a summary of many refusals.',
);

/** By name. A resumable event has an `id`. */
const events: Readonly<Record<string, { readonly resumable: boolean; readonly data: Schema }>> = {
  state: { resumable: false, data: ref('State') },
  machine: {
    resumable: false,
    data: object({
      at: time(),
      active: ids,
      taken: ids,
      event: orNull(text(), 'event of the last transition; null: none yet'),
      commands: object(Object.fromEntries(commandNames.map((name) => [name, commandPreview]))),
    }),
  },
  transition: {
    resumable: true,
    data: object({
      ...{ at: time(), event: text(), from: ref('NodeStatus'), to: ref('NodeStatus') },
      ...{ active: ids, taken: ids },
    }),
  },
  command: { resumable: true, data: ref('AuditEntry') },
  condition: {
    resumable: true,
    data: object({ at: time(), change: oneOf(['raised', 'changed', 'cleared']), condition: ref('DatedCondition') }),
  },
  drain: { resumable: false, data: object({ at: time(), drain: orNull(ref('Drain')) }) },
  metrics: { resumable: false, data: list(metricsPoint, 'one per second') },
  gap: {
    resumable: false,
    data: object({ at: time(), after: text('the requested id, which is no longer available') }),
  },
  end: { resumable: true, data: object({ at: time(), exitCode: { type: 'integer' } }) },
};

const eventSchemas = Object.entries(events).map(([name, { resumable, data }]) =>
  object({ event: only(name), [resumable ? 'id' : 'id?']: text('`<run>-<number>`'), data }),
);

export const eventComponents: Readonly<Record<string, Schema>> = {
  AuditEntry: auditEntry,
  Event: { description: 'One event; `data` is one line of JSON.', oneOf: eventSchemas },
};
