// The events of `GET /events`: what the data of each is.
import { commandNames } from '../../machines/commands.ts';
import { count, list, object, oneOf, only, orNull, ref, type Schema, text, time } from './schema.ts';
import { metricsPoint, nodeStatus } from './state-schemas.ts';

const ids = list(text(), 'of states or edges, as in the diagrams of the machine');

const moment = orNull(object({ ...nodeStatus, generation: count() }), 'null: it was not put to the machine');

const commandPreview: Schema = {
  oneOf: [
    object({ legal: only(true), leadsTo: ids, through: list(ids, 'what each step on the way enters') }),
    object({ legal: only(false), reason: text('in the words of the machine') }),
  ],
};

const auditEntry = object(
  {
    at: time(),
    from: orNull(text(), 'address of the client'),
    kind: orNull(oneOf(['access', 'request']), 'of the token; null: it was refused'),
    sub: orNull(text()),
    jti: orNull(text()),
    method: text('the signal, where a shutdown was given by one'),
    command: orNull(ref('CommandName'), 'null: a read'),
    input: { description: 'the body, where it was valid' },
    status: { type: 'integer' },
    detail: orNull(text(), 'of the problem; null: it was done'),
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
  'A command, a refused token, or a flood of those summed up.',
);

/** By name; `id` says whether the event can be resumed after. */
const events: Readonly<Record<string, { readonly resumable: boolean; readonly data: Schema }>> = {
  state: { resumable: false, data: ref('State') },
  machine: {
    resumable: false,
    data: object({
      at: time(),
      active: ids,
      taken: ids,
      event: orNull(text(), 'what set off the last step; null: there was none yet'),
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
  metrics: { resumable: false, data: list(metricsPoint, 'one a second') },
  gap: { resumable: false, data: object({ at: time(), after: text('the id that is not known any more') }) },
  end: { resumable: true, data: object({ at: time(), exitCode: { type: 'integer' } }) },
};

const eventSchemas = Object.entries(events).map(([name, { resumable, data }]) =>
  object({ event: only(name), [resumable ? 'id' : 'id?']: text('`<run>-<number>`'), data }),
);

export const eventComponents: Readonly<Record<string, Schema>> = {
  AuditEntry: auditEntry,
  Event: { description: 'One event; `data` is one line of JSON.', oneOf: eventSchemas },
};
