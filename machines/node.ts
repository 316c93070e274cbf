// The node machine: every operator-visible state of the node, and which command is legal in which.
//
// Each region answers for its own commands: `node` for shutdown, `publicApi` for start-api and stop-api, `record` for the
// settings. An accepted command is told of once, by whoever ends it, and before the machine can come to its end.
import { and, assign, type DoneActorEvent, emit, fromPromise, or, raise, setup, stateIn } from 'xstate';
import type { Command, CommandName } from './commands.ts';
import {
  changeRecord,
  type DesiredRecord,
  type DesiredState,
  desiredState,
  emptyRecord,
  type Settings,
  settingsChange,
} from './settings.ts';

/** How long each step may take, in milliseconds. */
export interface Deadlines {
  readonly listenMs: number;
  /** How long a start-up waits for a port that another process still holds. */
  readonly restoreMs: number;
  /** How long the port goes on serving after a stop, said to be no longer ready; 0: not at all. */
  readonly lameDuckMs: number;
  readonly closeMs: number;
  readonly saveMs: number;
  /** Pause before a record that could not be written is tried again. */
  readonly saveRetryMs: number;
  readonly configureMs: number;
  readonly drainMs: number;
  /** From the answer to a shutdown to the moment the workers are killed, should a drain not end by itself. */
  readonly leaveMs: number;
}

export interface NodeInput {
  /** What the config file wants. */
  readonly config: DesiredState;
  /** What commands have changed since, as read from disk. */
  readonly record?: DesiredRecord;
  readonly deadlines: Deadlines;
}

/** Responses that a closed listener left behind. */
export interface Drain {
  readonly id: number;
  /** When what is left is cut: milliseconds since the epoch. */
  readonly deadline: number;
}

export interface CloseResult {
  /** Null: nothing was under way. */
  readonly drain: Drain | null;
}

export interface RecordRequest {
  readonly command: CommandName;
  readonly change: Partial<DesiredState>;
}

export interface Change {
  /** Null: the node's own doing, a second try at saving. */
  readonly command: CommandName | null;
  readonly record: DesiredRecord;
}

export interface NodeContext extends Required<NodeInput> {
  /** The change being saved, or the last one that was. */
  readonly pending: Change;
  readonly drains: readonly Drain[];
  /** Drains that were over before their close was reported. */
  readonly endedEarly: readonly number[];
  /** Why the start-api under way is being undone; null: none is. */
  readonly startFailure: string | null;
  /** Why the last start-up did not get the public API running; null: it did, or it was not asked to. */
  readonly listenFailure: string | null;
  /** Why the record on disk is not the one in memory; null: it is. */
  readonly saveFailure: string | null;
  readonly exitCode: number;
}

export type NodeEvent =
  | Command
  /** At start-up: bring the public API to where it is wanted, without recording anything. */
  | { readonly type: 'restore' }
  | ({ readonly type: 'record' } & RecordRequest)
  | { readonly type: 'record.done' }
  | { readonly type: 'record.failed' }
  | DoneActorEvent<CloseResult, 'close'>
  | { readonly type: 'drain.ended'; readonly id: number }
  | { readonly type: 'drain.deadline'; readonly id: number };

/** How a command that was legal has ended: exactly one for each. `refused`: a shutdown overtook it. */
export interface CommandOutcome {
  readonly type: 'outcome';
  /** Never null in fact; so typed because a change may be nobody's. */
  readonly command: CommandName | null;
  readonly result: 'done' | 'failed' | 'refused';
  /** For the operator; empty when done. */
  readonly reason: string;
}

/** What a state may say of itself: the words with which it refuses commands. */
export interface NodeMeta {
  readonly refuses?: Partial<Record<CommandName, string>>;
}

const shuttingDown = 'Node is shutting down';
const saving = 'A change is being saved';

/** The words of whatever an effect was rejected with. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Only where the guard `leavesADrain` has seen that there is one. */
const drainOf = ({ drain }: CloseResult): Drain => drain as Drain;

/**
 * Until they are given with `.provide()`, its actors succeed at once and its actions do nothing. How an accepted command has
 * ended is emitted as `outcome`; the output of the whole is the exit code.
 */
export const nodeMachine = setup({
  types: {
    input: {} as NodeInput,
    context: {} as NodeContext,
    events: {} as NodeEvent,
    emitted: {} as CommandOutcome,
    output: {} as { readonly exitCode: number },
    meta: {} as NodeMeta,
    tags: {} as 'busy',
  },
  actors: {
    /** Open the public port on every worker. Rejects with the operator's reason, and then nothing is listening. */
    listen: fromPromise<void, { readonly patienceMs: number }>(async () => {}),
    /** Close the public port, whatever became of a `listen`; resolves when connections are refused, with the drain left. */
    close: fromPromise<CloseResult>(async () => ({ drain: null })),
    /** Write the record so that it survives the power plug; a later record never loses to an earlier, given-up one. */
    save: fromPromise<void, DesiredRecord>(async () => {}),
    /** Have every worker judge its next request by these settings. */
    configure: fromPromise<void, Settings>(async () => {}),
  },
  actions: {
    /** Say on the public port that it is no longer ready; everything is served all the same. */
    retire: () => {},
    /** Cut what is left of a drain. */
    cut: (_, _drain: { readonly id: number }) => {},
    /** Kill every public worker: nothing may go on behind a step that failed. Those that replace them know the new state. */
    kill: () => {},
    tell: emit((_, outcome: Omit<CommandOutcome, 'type'>) => ({ type: 'outcome' as const, ...outcome })),
    tellSettings: emit(({ context }, outcome: Pick<CommandOutcome, 'result' | 'reason'>) => ({
      type: 'outcome' as const,
      command: context.pending.command,
      ...outcome,
    })),
    prepare: assign({
      pending: ({ context: { config, record } }, { command, change }: RecordRequest) => ({
        command,
        record: changeRecord(config, record, change),
      }),
    }),
    prepareAgain: assign({ pending: ({ context }) => ({ command: null, record: context.record }) }),
    commit: assign({ record: ({ context }) => context.pending.record }),
    noteUnsaved: assign({ saveFailure: (_, { reason }: { readonly reason: string }) => reason }),
    noteStartFailure: assign({ startFailure: (_, { reason }: { readonly reason: string }) => reason }),
    noteListenFailure: assign({ listenFailure: (_, { reason }: { readonly reason: string }) => reason }),
  },
  guards: {
    nodeIsRunning: stateIn({ up: { node: 'running' } }),
    publicApiIsStopped: stateIn({ up: { publicApi: 'stopped' } }),
    publicApiIsSettled: or(['publicApiIsStopped', stateIn({ up: { publicApi: 'running' } })]),
    recordIsSettled: stateIn({ up: { record: 'settled' } }),
    drainsAreOver: stateIn({ up: { drain: 'none' } }),
    isLameDuckFirst: ({ context }) => context.deadlines.lameDuckMs > 0,
    publicApiIsWanted: ({ context }) => desiredState(context.config, context.record).publicApi === 'running',
    somethingIsRecorded: ({ context }) => Object.keys(context.record.changes).length > 0,
    isSettingsChange: ({ context }) =>
      context.pending.command === 'set-worker' || context.pending.command === 'set-buckets',
    isStart: ({ context }) => context.pending.command === 'start-api',
    isStop: ({ context }) => context.pending.command === 'stop-api',
    leavesADrain: ({ context }, { output: { drain } }: { readonly output: CloseResult }) =>
      drain !== null && !context.endedEarly.includes(drain.id),
    isDraining: ({ context }, { id }: { readonly id: number }) => context.drains.some((drain) => drain.id === id),
    nothingDrains: ({ context }) => context.drains.length === 0,
  },
  delays: {
    listenDeadline: ({ context }) => context.deadlines.listenMs,
    restoreDeadline: ({ context }) => context.deadlines.restoreMs + context.deadlines.listenMs,
    lameDuck: ({ context }) => context.deadlines.lameDuckMs,
    closeDeadline: ({ context }) => context.deadlines.closeMs,
    saveDeadline: ({ context }) => context.deadlines.saveMs,
    saveRetry: ({ context }) => context.deadlines.saveRetryMs,
    configureDeadline: ({ context }) => context.deadlines.configureMs,
    drainDeadline: ({ context }) => context.deadlines.drainMs,
    leaveDeadline: ({ context }) => context.deadlines.leaveMs,
  },
}).createMachine({
  id: 'node',
  context: ({ input: { config, record = emptyRecord, deadlines } }) => ({
    config,
    record,
    deadlines,
    pending: { command: null, record },
    drains: [],
    endedEarly: [],
    startFailure: null,
    listenFailure: null,
    saveFailure: null,
    exitCode: 0,
  }),
  output: ({ context }) => ({ exitCode: context.exitCode }),
  initial: 'up',
  states: {
    up: {
      type: 'parallel',
      states: {
        node: {
          initial: 'running',
          states: {
            running: {
              on: { shutdown: 'shuttingDown' },
            },
            shuttingDown: {
              meta: {
                refuses: { 'stop-api': shuttingDown, 'start-api': shuttingDown, shutdown: 'Already shutting down' },
              },
              initial: 'closing',
              states: {
                closing: {
                  always: {
                    guard: and(['publicApiIsStopped', 'recordIsSettled']),
                    target: 'draining',
                    actions: { type: 'tell', params: { command: 'shutdown', result: 'done', reason: '' } },
                  },
                },
                draining: {
                  always: {
                    guard: and(['drainsAreOver', 'recordIsSettled']),
                    target: '#node.exited',
                    description: 'all sent',
                  },
                  after: { leaveDeadline: 'cutting' },
                },
                cutting: {
                  entry: ['kill', assign({ exitCode: 1 })],
                  always: { guard: 'recordIsSettled', target: '#node.exited', description: 'out of time' },
                },
              },
            },
          },
        },

        publicApi: {
          initial: 'stopped',
          states: {
            stopped: {
              meta: { refuses: { 'stop-api': 'Already stopped' } },
              on: {
                'start-api': { guard: and(['nodeIsRunning', 'recordIsSettled']), target: 'starting' },
                restore: {
                  guard: and(['nodeIsRunning', 'publicApiIsWanted']),
                  target: 'starting.restoring',
                  description: 'at start-up',
                },
              },
            },
            starting: {
              tags: 'busy',
              meta: {
                refuses: {
                  'stop-api': 'Still starting',
                  'start-api': 'Already starting',
                  'set-worker': 'Still starting',
                  'set-buckets': 'Still starting',
                },
              },
              initial: 'opening',
              states: {
                opening: {
                  invoke: {
                    id: 'listen',
                    src: 'listen',
                    input: { patienceMs: 0 },
                    onDone: 'recording',
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      description: 'cannot listen',
                      actions: {
                        type: 'tell',
                        params: ({ event }) => ({
                          command: 'start-api',
                          result: 'failed',
                          reason: reasonOf(event.error),
                        }),
                      },
                    },
                  },
                  after: {
                    listenDeadline: {
                      target: '#node.up.publicApi.stopping.undoing',
                      actions: {
                        type: 'noteStartFailure',
                        params: ({ context }) => ({
                          reason: `The public API was not listening after ${context.deadlines.listenMs} ms`,
                        }),
                      },
                    },
                  },
                  on: {
                    shutdown: {
                      target: '#node.up.publicApi.stopping.releasing',
                      actions: {
                        type: 'tell',
                        params: { command: 'start-api', result: 'refused', reason: shuttingDown },
                      },
                    },
                  },
                },
                recording: {
                  entry: raise({ type: 'record', command: 'start-api', change: { publicApi: 'running' } }),
                  on: {
                    'record.done': {
                      target: '#node.up.publicApi.running',
                      description: 'listening',
                      actions: { type: 'tell', params: { command: 'start-api', result: 'done', reason: '' } },
                    },
                    'record.failed': {
                      target: '#node.up.publicApi.stopping.undoing',
                      actions: {
                        type: 'noteStartFailure',
                        params: ({ context }) => ({ reason: String(context.saveFailure) }),
                      },
                    },
                    shutdown: {
                      target: '#node.up.publicApi.stopping.releasing',
                      actions: {
                        type: 'tell',
                        params: { command: 'start-api', result: 'refused', reason: shuttingDown },
                      },
                    },
                  },
                },
                restoring: {
                  invoke: {
                    id: 'listen',
                    src: 'listen',
                    input: ({ context }) => ({ patienceMs: context.deadlines.restoreMs }),
                    onDone: { target: '#node.up.publicApi.running', description: 'listening' },
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      description: 'cannot listen',
                      actions: {
                        type: 'noteListenFailure',
                        params: ({ event }) => ({ reason: reasonOf(event.error) }),
                      },
                    },
                  },
                  after: {
                    restoreDeadline: {
                      target: '#node.up.publicApi.stopping.releasing',
                      actions: {
                        type: 'noteListenFailure',
                        params: { reason: 'The public API did not start listening in time' },
                      },
                    },
                  },
                  on: { shutdown: '#node.up.publicApi.stopping.releasing' },
                },
              },
            },
            running: {
              meta: { refuses: { 'start-api': 'Already started' } },
              entry: assign({ listenFailure: null }),
              on: {
                'stop-api': [
                  { guard: and(['recordIsSettled', 'isLameDuckFirst']), target: 'stopping.lameDuck' },
                  { guard: 'recordIsSettled', target: 'stopping.closing' },
                ],
                shutdown: [
                  { guard: 'isLameDuckFirst', target: 'stopping.lameDuck.beforeReleasing' },
                  { target: 'stopping.releasing' },
                ],
              },
            },
            stopping: {
              tags: 'busy',
              meta: {
                refuses: {
                  'stop-api': 'Already stopping',
                  'start-api': 'Still stopping',
                  'set-worker': 'Still stopping',
                  'set-buckets': 'Still stopping',
                },
              },
              initial: 'closing',
              states: {
                lameDuck: {
                  description: 'serving, not ready',
                  entry: 'retire',
                  initial: 'beforeClosing',
                  states: {
                    // A shutdown meanwhile does not hurry it: whoever sends viewers here has been promised the time.
                    beforeClosing: {
                      after: { lameDuck: { target: '#node.up.publicApi.stopping.closing', description: 'time is up' } },
                    },
                    beforeReleasing: {
                      after: {
                        lameDuck: { target: '#node.up.publicApi.stopping.releasing', description: 'time is up' },
                      },
                    },
                  },
                },
                closing: {
                  description: 'by stop-api',
                  invoke: {
                    id: 'close',
                    src: 'close',
                    onDone: 'recording',
                    onError: { target: 'recording', actions: 'kill' },
                  },
                  after: { closeDeadline: { target: 'recording', actions: 'kill' } },
                },
                recording: {
                  entry: raise({ type: 'record', command: 'stop-api', change: { publicApi: 'stopped' } }),
                  exit: { type: 'tell', params: { command: 'stop-api', result: 'done', reason: '' } },
                  on: {
                    'record.done': { target: '#node.up.publicApi.stopped', description: 'port refuses' },
                    'record.failed': '#node.up.publicApi.stopped',
                  },
                },
                undoing: {
                  description: 'a start-api that failed',
                  exit: {
                    type: 'tell',
                    params: ({ context }) => ({
                      command: 'start-api',
                      result: 'failed',
                      reason: String(context.startFailure),
                    }),
                  },
                  invoke: {
                    id: 'close',
                    src: 'close',
                    onDone: '#node.up.publicApi.stopped',
                    onError: { target: '#node.up.publicApi.stopped', actions: 'kill' },
                  },
                  after: { closeDeadline: { target: '#node.up.publicApi.stopped', actions: 'kill' } },
                },
                releasing: {
                  description: 'no wish changes',
                  invoke: {
                    id: 'close',
                    src: 'close',
                    onDone: '#node.up.publicApi.stopped',
                    onError: { target: '#node.up.publicApi.stopped', actions: 'kill' },
                  },
                  after: { closeDeadline: { target: '#node.up.publicApi.stopped', actions: 'kill' } },
                },
              },
            },
          },
        },

        drain: {
          initial: 'none',
          on: {
            'xstate.done.actor.close': {
              guard: { type: 'leavesADrain', params: ({ event }) => event },
              target: '.draining',
              description: 'port closed',
              actions: [
                assign({ drains: ({ context, event }) => [...context.drains, drainOf(event.output)] }),
                raise(({ event }) => ({ type: 'drain.deadline', id: drainOf(event.output).id }), {
                  delay: 'drainDeadline',
                }),
              ],
            },
            'drain.ended': {
              actions: assign({
                drains: ({ context, event }) => context.drains.filter((drain) => drain.id !== event.id),
                endedEarly: ({ context, event }) =>
                  context.drains.some((drain) => drain.id === event.id)
                    ? context.endedEarly
                    : [...context.endedEarly, event.id],
              }),
            },
          },
          states: {
            none: {},
            draining: {
              always: { guard: 'nothingDrains', target: 'none', description: 'all sent' },
              on: {
                'drain.deadline': {
                  guard: { type: 'isDraining', params: ({ event }) => event },
                  actions: { type: 'cut', params: ({ event }) => event },
                },
              },
            },
          },
        },

        record: {
          initial: 'settled',
          on: {
            record: { target: '.saving', actions: { type: 'prepare', params: ({ event }) => event } },
          },
          states: {
            settled: {
              on: {
                'set-worker': {
                  guard: 'publicApiIsSettled',
                  target: 'saving',
                  actions: {
                    type: 'prepare',
                    params: ({ event }) => ({ command: event.type, change: settingsChange(event) }),
                  },
                },
                'set-buckets': {
                  guard: 'publicApiIsSettled',
                  target: 'saving',
                  actions: {
                    type: 'prepare',
                    params: ({ event }) => ({ command: event.type, change: settingsChange(event) }),
                  },
                },
                shutdown: {
                  guard: and(['nodeIsRunning', 'somethingIsRecorded']),
                  target: 'saving',
                  actions: 'prepareAgain',
                },
              },
              initial: 'saved',
              states: {
                saved: {},
                unsaved: {
                  after: { saveRetry: { target: '#node.up.record.saving', actions: 'prepareAgain' } },
                },
              },
            },
            saving: {
              tags: 'busy',
              meta: {
                refuses: { 'stop-api': saving, 'start-api': saving, 'set-worker': saving, 'set-buckets': saving },
              },
              invoke: {
                id: 'save',
                src: 'save',
                input: ({ context }) => context.pending.record,
                onDone: [
                  {
                    guard: 'isSettingsChange',
                    target: 'applying',
                    description: 'settings saved',
                    actions: ['commit', assign({ saveFailure: null })],
                  },
                  {
                    target: 'settled',
                    description: 'saved',
                    actions: ['commit', assign({ saveFailure: null }), raise({ type: 'record.done' })],
                  },
                ],
                onError: {
                  target: 'failing',
                  actions: { type: 'noteUnsaved', params: ({ event }) => ({ reason: reasonOf(event.error) }) },
                },
              },
              after: {
                saveDeadline: {
                  target: 'failing',
                  actions: {
                    type: 'noteUnsaved',
                    params: ({ context }) => ({
                      reason: `The state file was not written after ${context.deadlines.saveMs} ms`,
                    }),
                  },
                },
              },
              on: {
                // The start-api is refused by the publicApi region: what it has perhaps written already is taken back.
                shutdown: { guard: 'isStart', target: 'saving', reenter: true, actions: 'prepareAgain' },
              },
            },
            failing: {
              tags: 'busy',
              always: [
                {
                  guard: 'isSettingsChange',
                  target: 'settled.unsaved',
                  description: 'cannot save',
                  actions: {
                    type: 'tellSettings',
                    params: ({ context }) => ({ result: 'failed', reason: String(context.saveFailure) }),
                  },
                },
                { guard: 'isStop', target: 'settled.unsaved', actions: ['commit', raise({ type: 'record.failed' })] },
                { target: 'settled.unsaved', actions: raise({ type: 'record.failed' }) },
              ],
            },
            applying: {
              tags: 'busy',
              meta: {
                refuses: { 'stop-api': saving, 'start-api': saving, 'set-worker': saving, 'set-buckets': saving },
              },
              exit: { type: 'tellSettings', params: { result: 'done', reason: '' } },
              invoke: {
                id: 'configure',
                src: 'configure',
                input: ({ context }) => desiredState(context.config, context.record),
                onDone: { target: 'settled', description: 'in use' },
                onError: { target: 'settled', actions: 'kill' },
              },
              after: { configureDeadline: { target: 'settled', actions: 'kill' } },
            },
          },
        },
      },
    },
    exited: {
      type: 'final',
      meta: {
        refuses: {
          'stop-api': shuttingDown,
          'start-api': shuttingDown,
          shutdown: 'Already shutting down',
          'set-worker': shuttingDown,
          'set-buckets': shuttingDown,
        },
      },
    },
  },
});
