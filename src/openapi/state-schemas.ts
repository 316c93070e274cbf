// The documents that the operator API answers with when it is done: the state, and what a command would do.
import { commandNames } from '../../machines/commands.ts';
import { count, list, number, object, oneOf, only, orNull, ref, type Schema, text, time } from './schema.ts';

const settings = object({
  workerId: orNull(count(), "the operator's number in the directory; null: unset"),
  buckets: orNull(list(text()), 'bucket ids to distribute; null: all buckets of the worker'),
});

export const nodeStatus = {
  node: oneOf(['running', 'shuttingDown']),
  publicApi: oneOf(['stopped', 'starting', 'running', 'stopping']),
};

const allowed = list(
  ref('CommandName'),
  'commands that are legal now; during a step, those that will be if it succeeds',
);

const bucketsInForce = list(text(), 'buckets in force: the chosen ones, else those of the worker');

const drain = object({
  connections: count('left to end by themselves'),
  bytesLeft: count('still to be sent on them'),
  deadline: time('when what is left is cut'),
});

const lot = object({
  count: count(),
  bytes: count('of those whose size is known'),
  sizeUnknown: count('how many have no known size yet'),
  ids: list(text(), 'the first of them'),
});

const condition = {
  type: text('one word for the kind of condition'),
  reason: text('one word for its cause'),
  severity: oneOf(['critical', 'warning'], 'critical: viewers are not served, or an acknowledged change can be lost'),
  message: text('for a person: what is wrong'),
  remedy: text('for a person: what to do'),
};

export const stateSchemas: Readonly<Record<string, Schema>> = {
  CommandName: oneOf(commandNames),
  NodeStatus: object(nodeStatus),
  Settings: settings,
  DatedCondition: object({ ...condition, since: time() }, 'Something that is wrong now.'),
  Drain: drain,
  State: object(
    {
      id: text('of this node'),
      version: text(),
      startedAt: time(),
      ...nodeStatus,
      since: time('of the last change of `node` or `publicApi`'),
      generation: count('rises by one with every change of what is desired'),
      settings: ref('Settings'),
      effectiveBuckets: bucketsInForce,
      allowed,
      desired: object({
        publicApi: oneOf(['running', 'stopped']),
        overridden: list(
          oneOf(['publicApi', 'workerId', 'buckets']),
          'what commands have changed: there the config file has no say any more',
        ),
      }),
      endpoints: object({ publicApi: text(), operatorApi: orNull(text()) }),
      lameDuck: orNull(
        object({ until: time('when the port closes') }),
        'a stop has begun and viewers are still served, for balancers to notice; null: no such pause is under way',
      ),
      drain: orNull(ref('Drain'), 'null: none is under way'),
      workers: list(
        object({
          pid: { type: 'integer' },
          state: oneOf(['starting', 'idle', 'serving', 'draining']),
        }),
        'processes that serve the public API',
      ),
      lastCrash: orNull(
        object({
          at: time(),
          what: oneOf(['control', 'worker']),
          pid: { type: 'integer' },
          reason: text(),
          message: text(),
        }),
        'kept over restarts; null: none is known of',
      ),
      conditions: list(ref('DatedCondition'), 'what is wrong now'),
    },
    'The node as it is.',
  ),
  Outlook: object({
    ...nodeStatus,
    generation: count(),
    settings: ref('Settings'),
    effectiveBuckets: bucketsInForce,
    allowed,
  }),
  Preview: object(
    {
      dryRun: only(true),
      command: ref('CommandName'),
      before: ref('Outlook'),
      after: ref('Outlook'),
      objects: orNull(object({ dropped: lot, gained: lot }), 'null: the command changes no settings'),
      conditions: list(object(condition), 'what would be wrong then'),
    },
    'What a command would do. It has done nothing.',
  ),
};

export const metricsPoint = object({
  at: time(),
  requests: count('since the node started'),
  bytesSent: count(),
  downloadsInProgress: count(),
  operatorLatencyMs: orNull(
    object({ p50: number(), p99: number() }),
    'of the requests since the point before; null: there were none',
  ),
});
