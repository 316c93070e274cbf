// Schemas of the operator API's documents: the state, and the preview of a command.
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
  'commands that are legal now; during a step, those that will be legal if it succeeds',
);

const effectiveBuckets = list(text(), 'the buckets distributed: those of `settings`, otherwise those of the worker');

const drain = object({
  connections: count('connections still open'),
  bytesLeft: count('bytes still to be sent on them'),
  deadline: time('when the remaining connections are closed'),
});

const lot = object({
  count: count(),
  bytes: count('total of the known sizes'),
  sizeUnknown: count('objects of unknown size'),
  ids: list(text(), 'the first ids'),
});

const condition = {
  type: text('type of condition, for programs'),
  reason: text('cause, for programs'),
  severity: oneOf(['critical', 'warning'], 'critical: viewers are not served, or an acknowledged change can be lost'),
  message: text('for people: what is wrong'),
  remedy: text('for people: what to do'),
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
      generation: count('rises by one with every change of the desired state'),
      settings: ref('Settings'),
      effectiveBuckets,
      allowed,
      desired: object({
        publicApi: oneOf(['running', 'stopped']),
        overridden: list(
          oneOf(['publicApi', 'workerId', 'buckets']),
          'values set by commands; they override the config file',
        ),
      }),
      endpoints: object({ publicApi: text(), operatorApi: orNull(text()) }),
      lameDuck: orNull(
        object({ until: time('when the port closes') }),
        'a stop has begun and viewers are still served, so that load balancers can react; null: no lame duck',
      ),
      drain: orNull(ref('Drain'), 'null: no drain'),
      workers: list(
        object({
          pid: { type: 'integer' },
          state: oneOf(['starting', 'idle', 'serving', 'draining']),
        }),
        'processes that serve the public API',
      ),
      directory: orNull(
        object({
          pid: orNull({ type: 'integer' }, 'of the content process; null: none runs at the moment'),
          objects: count('in the index'),
          bags: count('in the index'),
          readAt: orNull(time(), 'when the directory was last read completely; null: never'),
          activity: oneOf(['reading', 'hashing', 'idle']),
          bagsRead: orNull(count(), 'read so far by the import or sync in progress; null: none is'),
          objectsRead: orNull(count(), 'read so far by the import or sync in progress; null: none is'),
          filesToHash: count(),
          height: orNull(count(), 'the last block that the squid has processed; null: not known'),
          squidVersion: orNull(text(), 'null: not known'),
        }),
        'null: the content process has not reported yet',
      ),
      lastCrash: orNull(
        object({
          at: time(),
          what: oneOf(['control', 'worker', 'content']),
          pid: { type: 'integer' },
          reason: text(),
          message: text(),
        }),
        'kept across restarts; null: no crash recorded',
      ),
      conditions: list(ref('DatedCondition'), 'conditions that hold now'),
    },
    'The state of the node.',
  ),
  Outlook: object({
    ...nodeStatus,
    generation: count(),
    settings: ref('Settings'),
    effectiveBuckets,
    allowed,
  }),
  Preview: object(
    {
      dryRun: only(true),
      command: ref('CommandName'),
      before: ref('Outlook'),
      after: ref('Outlook'),
      objects: orNull(
        object({ dropped: lot, gained: lot }),
        'null: the command changes no settings, or they are not known',
      ),
      objectsUnknown: orNull(text(), 'why the objects are not known; null: they are'),
      conditions: list(object(condition), 'conditions that would hold'),
    },
    'What a command would do; nothing has changed.',
  ),
};

export const metricsPoint = object({
  at: time(),
  requests: count('since the node started'),
  bytesSent: count(),
  downloadsInProgress: count(),
  operatorLatencyMs: orNull(
    object({ p50: number(), p99: number() }),
    'of the requests since the previous point; null: no requests',
  ),
});
