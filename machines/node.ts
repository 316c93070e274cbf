// The node machine: every operator-visible state of the node, and which command is legal in which.
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
  readonly closeMs: number;
  readonly saveMs: number;
  /** Pause before a record that could not be written is tried again. */
  readonly saveRetryMs: number;
  readonly configureMs: number;
  readonly drainMs: number;
  /** From the shutdown command to the exit, whatever happens. */
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

interface RecordRequest {
  readonly command: CommandName;
  readonly change: Partial<DesiredState>;
}

interface Change {
  readonly command: CommandName | null;
  readonly record: DesiredRecord;
}

export interface NodeContext extends Required<NodeInput> {
  /** The change being saved. */
  readonly pending: Change | null;
  readonly drains: readonly Drain[];
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

/** How a command that was legal has ended. `refused`: a shutdown overtook it. */
export interface CommandOutcome {
  readonly type: 'outcome';
  /** Null: the node's own doing, e.g. a second try at saving. */
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
    /** Open the public port on every worker. Rejects with the operator's reason. */
    listen: fromPromise<void, { readonly patienceMs: number }>(async () => {}),
    /** Close the public port; resolves when connections are refused, with the drain left behind. */
    close: fromPromise<CloseResult>(async () => ({ drain: null })),
    /** Write the record so that it survives the power plug. */
    save: fromPromise<void, DesiredRecord>(async () => {}),
    /** Have every worker judge its next request by these settings. */
    configure: fromPromise<void, Settings>(async () => {}),
  },
  actions: {
    /** Cut what is left of a drain. */
    cut: (_, _drain: { readonly id: number }) => {},
    /** Kill every public worker: the port must not stay open behind a close that failed. */
    kill: () => {},
    tell: emit((_, outcome: Omit<CommandOutcome, 'type'>) => ({ type: 'outcome' as const, ...outcome })),
    tellPending: emit(({ context }, outcome: Pick<CommandOutcome, 'result' | 'reason'>) => ({
      type: 'outcome' as const,
      command: context.pending?.command ?? null,
      ...outcome,
    })),
    prepare: assign({
      pending: ({ context: { config, record } }, { command, change }: RecordRequest) => ({
        command,
        record: changeRecord(config, record, change),
      }),
    }),
    prepareAgain: assign({ pending: ({ context }) => ({ command: null, record: context.record }) }),
    commit: assign({ record: ({ context }) => context.pending?.record ?? context.record }),
    noteSaved: assign({ saveFailure: null }),
    noteUnsaved: assign({ saveFailure: (_, { reason }: { readonly reason: string }) => reason }),
  },
  guards: {
    nodeIsRunning: stateIn({ up: { node: 'running' } }),
    publicApiIsSettled: or([stateIn({ up: { publicApi: 'stopped' } }), stateIn({ up: { publicApi: 'running' } })]),
    recordIsSettled: stateIn({ up: { record: 'settled' } }),
    publicApiIsWanted: ({ context }) => desiredState(context.config, context.record).publicApi === 'running',
    somethingIsRecorded: ({ context }) => Object.keys(context.record.changes).length > 0,
    isSettingsChange: ({ context }) =>
      context.pending?.command === 'set-worker' || context.pending?.command === 'set-buckets',
    isCarriedOutUnsaved: ({ context }) => context.pending?.command === 'stop-api',
    nothingDrains: ({ context }) => context.drains.length === 0,
  },
  delays: {
    listenDeadline: ({ context }) => context.deadlines.listenMs,
    restoreDeadline: ({ context }) => context.deadlines.restoreMs + context.deadlines.listenMs,
    closeDeadline: ({ context }) => context.deadlines.closeMs,
    saveDeadline: ({ context }) => context.deadlines.saveMs,
    saveRetry: ({ context }) => context.deadlines.saveRetryMs,
    configureDeadline: ({ context }) => context.deadlines.configureMs,
    drainDeadline: ({ context }) => context.deadlines.drainMs,
    leaveDeadline: ({ context }) => context.deadlines.leaveMs,
  },
}).createMachine({
  id: 'node',
  context: ({ input }) => ({
    record: emptyRecord,
    ...input,
    pending: null,
    drains: [],
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
              after: {
                leaveDeadline: { target: '#node.exited', actions: ['kill', assign({ exitCode: 1 })] },
              },
              initial: 'closing',
              states: {
                closing: {
                  always: {
                    guard: and([stateIn({ up: { publicApi: 'stopped' } }), 'recordIsSettled']),
                    target: 'draining',
                    actions: { type: 'tell', params: { command: 'shutdown', result: 'done', reason: '' } },
                  },
                },
                draining: {
                  always: {
                    guard: and([stateIn({ up: { drain: 'none' } }), 'recordIsSettled']),
                    target: '#node.exited',
                  },
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
                restore: { guard: and(['nodeIsRunning', 'publicApiIsWanted']), target: 'starting.restoring' },
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
              on: { shutdown: 'stopping.leaving' },
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
                      target: 'undoing',
                      actions: {
                        type: 'tell',
                        params: ({ context }) => ({
                          command: 'start-api',
                          result: 'failed',
                          reason: `The public API was not listening after ${context.deadlines.listenMs} ms`,
                        }),
                      },
                    },
                  },
                  on: {
                    shutdown: {
                      target: '#node.up.publicApi.stopping.leaving',
                      actions: {
                        type: 'tell',
                        params: { command: 'start-api', result: 'refused', reason: shuttingDown },
                      },
                    },
                  },
                },
                recording: {
                  entry: raise({ type: 'record', command: 'start-api', change: { publicApi: 'running' } }),
                  on: { 'record.done': '#node.up.publicApi.running', 'record.failed': 'undoing' },
                },
                undoing: {
                  invoke: {
                    id: 'close',
                    src: 'close',
                    onDone: '#node.up.publicApi.stopped',
                    onError: { target: '#node.up.publicApi.stopped', actions: 'kill' },
                  },
                  after: { closeDeadline: { target: '#node.up.publicApi.stopped', actions: 'kill' } },
                },
                restoring: {
                  invoke: {
                    id: 'listen',
                    src: 'listen',
                    input: ({ context }) => ({ patienceMs: context.deadlines.restoreMs }),
                    onDone: '#node.up.publicApi.running',
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      actions: assign({ listenFailure: ({ event }) => reasonOf(event.error) }),
                    },
                  },
                  after: {
                    restoreDeadline: {
                      target: 'undoing',
                      actions: assign({ listenFailure: 'The public API did not start listening in time' }),
                    },
                  },
                },
              },
            },
            running: {
              meta: { refuses: { 'start-api': 'Already started' } },
              entry: assign({ listenFailure: null }),
              on: {
                'stop-api': { guard: 'recordIsSettled', target: 'stopping' },
                shutdown: 'stopping.leaving',
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
                closing: {
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
                  on: {
                    'record.done': '#node.up.publicApi.stopped',
                    'record.failed': '#node.up.publicApi.stopped',
                  },
                },
                leaving: {
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
              guard: ({ event }) => event.output.drain !== null,
              target: '.draining',
              actions: [
                assign({
                  drains: ({ context, event }) =>
                    event.output.drain ? [...context.drains, event.output.drain] : context.drains,
                }),
                raise(({ event }) => ({ type: 'drain.deadline', id: event.output.drain?.id ?? 0 }), {
                  delay: 'drainDeadline',
                }),
              ],
            },
          },
          states: {
            none: {},
            draining: {
              always: { guard: 'nothingDrains', target: 'none' },
              on: {
                'drain.ended': {
                  actions: assign({
                    drains: ({ context, event }) => context.drains.filter((drain) => drain.id !== event.id),
                  }),
                },
                'drain.deadline': { actions: { type: 'cut', params: ({ event }) => event } },
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
                refuses: {
                  'stop-api': saving,
                  'start-api': saving,
                  'set-worker': saving,
                  'set-buckets': saving,
                },
              },
              invoke: {
                id: 'save',
                src: 'save',
                input: ({ context }) => context.pending?.record ?? context.record,
                onDone: [
                  { guard: 'isSettingsChange', target: 'applying', actions: ['commit', 'noteSaved'] },
                  {
                    target: 'settled',
                    actions: [
                      'commit',
                      'noteSaved',
                      { type: 'tellPending', params: { result: 'done', reason: '' } },
                      raise({ type: 'record.done' }),
                    ],
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
            },
            failing: {
              tags: 'busy',
              always: [
                {
                  guard: 'isCarriedOutUnsaved',
                  target: 'settled.unsaved',
                  actions: [
                    'commit',
                    { type: 'tellPending', params: { result: 'done', reason: '' } },
                    raise({ type: 'record.failed' }),
                  ],
                },
                {
                  target: 'settled.unsaved',
                  actions: [
                    {
                      type: 'tellPending',
                      params: ({ context }) => ({ result: 'failed', reason: context.saveFailure ?? '' }),
                    },
                    raise({ type: 'record.failed' }),
                  ],
                },
              ],
            },
            applying: {
              tags: 'busy',
              meta: {
                refuses: {
                  'stop-api': saving,
                  'start-api': saving,
                  'set-worker': saving,
                  'set-buckets': saving,
                },
              },
              exit: { type: 'tellPending', params: { result: 'done', reason: '' } },
              invoke: {
                id: 'configure',
                src: 'configure',
                input: ({ context }) => desiredState(context.config, context.record),
                onDone: 'settled',
                onError: 'settled',
              },
              after: { configureDeadline: 'settled' },
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
