// The node machine: every state of the node that operators see, and the commands that are legal in each.
//
// THE REGIONS. Four are active at once, and each is responsible for one part of the node.
//
//   node       Is the process staying or leaving? Owns `shutdown`.
//   publicApi  Is the public port open? Owns `start-api` and `stop-api`, and saves the target state that they change.
//   drain      Which responses of a closed port are still in progress, and are they cut at their deadline?
//   record     Does the state file match memory? Owns `set-worker` and `set-buckets`, and retries failed saves.
//
// WHAT THEY WAIT FOR. An effect is an actor, invoked in the state that needs it. Success, failure and a deadline each lead out
// of the state, so no state waits forever:
//
//   starting   for the port to listen, then for the target state to be on disk: a start that cannot be saved is undone.
//   lameDuck   for time to pass: viewers are served while balancers notice that the node is not ready.
//   stopping   for the port to refuse, then for the target state to be on disk: a stop succeeds even if it cannot be saved.
//              The substates of `closing` record why the port is closed, so that `close` is invoked in one place.
//   saving     for the settings to be on disk; then `applying` waits for the server processes to use them.
//   rewriting  at a shutdown for the port to refuse; then for the record to be on disk, as it is in memory.
//   closing    (of `node`) for the public API to be stopped and the record to be settled: the answer to `shutdown`.
//   draining   for the drains to end. After their deadline, `outOfTime` waits only for a save in progress.
//   answering  for the last answers to operators: no new requests are accepted; settings can change until all are answered.
//              After that, or after its deadline, `leaving` waits only for a save in progress.
//
// A state with a step in progress has the tag `busy`, and `meta.onward` names the event of its success. While any region is
// busy, commands are queued outside the machine; only `shutdown` is sent at once. Each accepted command is answered exactly
// once, by an emitted `outcome`, in the region that owns it.
//
// WHERE REGIONS MEET. They send each other no events. This table lists every dependency of one region on another:
//
//   region     looks at                 for                                    because
//   publicApi  node is running          start-api, restore                     nothing starts in a node that leaves
//   publicApi  record is settled        start-api, stop-api                    one record is written at a time
//   record     publicApi is settled     set-worker, set-buckets, a retry       one record is written at a time
//   record     node is running          shutdown                               only the first shutdown is legal
//   record     publicApi is stopped     rewriting at a shutdown                the stop may still change the record
//   record     context.saveFailure      saved or unsaved                       publicApi saves, too
//   node       publicApi is stopped     the answer to shutdown                 the port refuses by then
//   node       record is settled        the answer to shutdown, and the end    no accepted change is dropped
//   node       context.drains           the end                                responses under way are finished
//   drain      context.drains           draining or none                       publicApi closes the port
//   all        `shutdown`               node leaves, publicApi stops, record   each does its own part
//                                       is written once more
//
// KNOWN AWKWARDNESS.
//
//   - A stop and a shutdown share `lameDuck` and `closing`, and differ in the substate only.
//   - A drain may end before the close that left it is reported. `endedEarly` remembers it for as long as that close lasts.
//   - A shutdown that overtakes the save of a start cannot know what is on disk. It records that in `saveFailure`; the rewriting
//     at every shutdown corrects it.
//   - A retry that falls due during a start or a stop waits for another `saveRetry`.
//   - The API has one word for `lameDuck` and `stopping`: `statusOf` in judge.ts maps both to `stopping`.
import {
  and,
  assign,
  type DoneActorEvent,
  emit,
  enqueueActions,
  fromPromise,
  not,
  or,
  raise,
  setup,
  stateIn,
} from 'xstate';
import type { Command, CommandName } from './commands.ts';
import {
  changeRecord,
  type DesiredRecord,
  type DesiredState,
  desiredState,
  emptyRecord,
  type Settings,
  settingsChange,
  settingsCommandOf,
} from './settings.ts';

/** How long each step may take, in milliseconds. */
export interface Deadlines {
  readonly listenMs: number;
  /** How long the startup waits for a port that another process still holds. */
  readonly restoreMs: number;
  /** How long the port still serves after a stop has begun, while reporting "not ready"; 0: no lame duck. */
  readonly lameDuckMs: number;
  readonly closeMs: number;
  readonly saveMs: number;
  /** Pause before a failed save is retried. */
  readonly saveRetryMs: number;
  readonly configureMs: number;
  readonly drainMs: number;
  /** Time from the answer to a shutdown until the server processes are killed, if a drain does not end by itself. */
  readonly leaveMs: number;
  /** Timeout of the last answers after all drains have ended. */
  readonly answerMs: number;
}

export interface NodeInput {
  /** The target state according to the config file. */
  readonly config: DesiredState;
  /** The changes by commands, as read from disk. */
  readonly record?: DesiredRecord;
  readonly deadlines: Deadlines;
}

/** Responses that a closed listener left behind. */
export interface Drain {
  readonly id: number;
  /** When the remaining connections are cut: milliseconds since the epoch. */
  readonly deadline: number;
}

export interface CloseResult {
  /** Null: no connection was open. */
  readonly drain: Drain | null;
}

export interface NodeContext extends Required<NodeInput> {
  /** The change of the last settings command; empty: none. */
  readonly change: Partial<Settings>;
  /** The drains in progress. `isCut`: its deadline has passed. */
  readonly drains: readonly (Drain & { readonly isCut: boolean })[];
  /** Drains that ended during the last close, before it reported its own drain, which may be among them. */
  readonly endedEarly: readonly number[];
  /** Reason why the last failed start-api was undone. */
  readonly startFailure: string;
  /** Reason why the last startup failed to start the public API; null: it succeeded, or was not requested. */
  readonly listenFailure: string | null;
  /** Reason why the record on disk differs, or may differ, from the one in memory; null: they are equal. */
  readonly saveFailure: string | null;
  readonly exitCode: number;
}

export type NodeEvent =
  | Command
  /** At startup: brings the public API to its target state, without a change of the record. */
  | { readonly type: 'restore' }
  /** The lame duck time has passed. */
  | { readonly type: 'lameDuck.over' }
  /** Within `publicApi`: the close in progress has succeeded, failed or timed out. */
  | { readonly type: 'port.closed' }
  | { readonly type: 'drain.ended'; readonly id: number }
  | { readonly type: 'drain.deadline'; readonly id: number }
  | DoneActorEvent<void, 'listen'>
  | DoneActorEvent<CloseResult, 'close'>
  | DoneActorEvent<void, 'save'>
  | DoneActorEvent<void, 'configure'>;

/** The result of an accepted command: exactly one for each. `refused`: a shutdown overtook it. */
export interface CommandOutcome {
  readonly type: 'outcome';
  readonly command: CommandName;
  readonly result: 'done' | 'failed' | 'refused';
  /** For the operator; empty when done. */
  readonly reason: string;
}

/** The `meta` of a state. */
export interface NodeMeta {
  /** The reasons with which it refuses commands. */
  readonly refuses?: Partial<Record<CommandName, string>>;
  /** Of a busy state: why all commands except `shutdown` must wait. */
  readonly waits?: string;
  /** What a busy state waits for: success of one of its actors, or the end of lame duck. */
  readonly onward?: 'listen' | 'close' | 'save' | 'configure' | 'lameDuck';
}

const shuttingDown = 'Node is shutting down';

const saving = 'A change is being saved';

/** For a transition triggered by a failure or a deadline. */
interface Failed {
  readonly context: NodeContext;
  readonly event: object;
}

/** The message of the error that an effect rejected with; `late` for a deadline. */
function reasonOf(event: object, late: string): string {
  if (!('error' in event)) return late;
  return event.error instanceof Error ? event.error.message : String(event.error);
}

const whyNotListening = ({ context, event }: Failed) => ({
  reason: reasonOf(event, `The public API was not listening after ${context.deadlines.listenMs} ms`),
});

const whyNotRestored = ({ event }: Failed) => ({
  reason: reasonOf(event, 'The public API did not start listening in time'),
});

const whyUnsaved = ({ context, event }: Failed) => ({
  reason: reasonOf(event, `The state file was not written after ${context.deadlines.saveMs} ms`),
});

const whichDrain = ({ event }: { readonly event: { readonly id: number } }) => ({ id: event.id });

const whichSettings = ({ context }: { readonly context: NodeContext }) => ({
  command: settingsCommandOf(context.change),
});

/** The record after a change. */
const changed = ({ config, record }: NodeContext, change: Partial<DesiredState>): DesiredRecord =>
  changeRecord(config, record, change);

/**
 * Without `.provide()`, its actors succeed at once and its actions do nothing. The result of an accepted command is emitted as
 * `outcome`; the output of the machine is the exit code.
 */
export const nodeMachine = setup({
  types: {
    input: {} as NodeInput,
    context: {} as NodeContext,
    events: {} as NodeEvent,
    emitted: {} as CommandOutcome,
    output: {} as { readonly exitCode: number },
    meta: {} as NodeMeta,
    tags: {} as 'busy' | 'lameDuck',
  },
  actors: {
    /** Opens the public port on all server processes. Rejects with a reason for the operator; the port is then closed. */
    listen: fromPromise<void, { readonly patienceMs: number }>(async () => {}),
    /** Closes the public port, even if a `listen` is in progress; resolves with the drain when connections are refused. */
    close: fromPromise<CloseResult>(async () => ({ drain: null })),
    /** Writes the record durably; an earlier save that was aborted never overwrites a later one. */
    save: fromPromise<void, DesiredRecord>(async () => {}),
    /** Makes every server process judge its next request by these settings. */
    configure: fromPromise<void, Settings>(async () => {}),
    /** Stops accepting operator requests; resolves when those accepted are answered. Until then settings can change. */
    answer: fromPromise<void>(async () => {}),
  },
  actions: {
    /** Reports "not ready" on the public port; requests are still served. */
    retire: () => {},
    /** Cuts the remaining connections of a drain. */
    cut: (_, _drain: { readonly id: number }) => {},
    /** Kills all server processes, so that nothing continues after a failed step. Their replacements have the new state. */
    kill: () => {},
    answerDone: emit((_, { command }: { readonly command: CommandName }) => ({
      type: 'outcome' as const,
      command,
      result: 'done' as const,
      reason: '',
    })),
    answerFailed: emit((_, { command, reason }: Pick<CommandOutcome, 'command' | 'reason'>) => ({
      type: 'outcome' as const,
      command,
      result: 'failed' as const,
      reason,
    })),
    answerRefused: emit((_, { command, reason }: Pick<CommandOutcome, 'command' | 'reason'>) => ({
      type: 'outcome' as const,
      command,
      result: 'refused' as const,
      reason,
    })),
    /** Changes the record in memory. */
    change: assign({ record: ({ context }, change: Partial<DesiredState>) => changed(context, change) }),
    noteSaved: assign({ saveFailure: null }),
    noteUnsaved: assign({ saveFailure: (_, { reason }: { readonly reason: string }) => reason }),
    noteStartFailure: assign({ startFailure: (_, { reason }: { readonly reason: string }) => reason }),
    noteListenFailure: assign({ listenFailure: (_, { reason }: { readonly reason: string }) => reason }),
    markCut: assign({
      drains: ({ context }, { id }: { readonly id: number }) =>
        context.drains.map((drain) => (drain.id === id ? { ...drain, isCut: true } : drain)),
    }),
    removeDrain: assign({
      drains: ({ context }, { id }: { readonly id: number }) => context.drains.filter((drain) => drain.id !== id),
    }),
  },
  guards: {
    nodeIsRunning: stateIn({ up: { node: 'running' } }),
    publicApiIsStopped: stateIn({ up: { publicApi: 'stopped' } }),
    publicApiIsSettled: or(['publicApiIsStopped', stateIn({ up: { publicApi: 'running' } })]),
    recordIsSettled: stateIn({ up: { record: 'settled' } }),
    hasLameDuck: ({ context }) => context.deadlines.lameDuckMs > 0,
    publicApiIsWanted: ({ context }) => desiredState(context.config, context.record).publicApi === 'running',
    isUnsaved: ({ context }) => context.saveFailure !== null,
    somethingIsRecorded: ({ context }) => Object.keys(context.record.changes).length > 0,
    somethingDrains: ({ context }) => context.drains.length > 0,
    isDraining: ({ context }, { id }: { readonly id: number }) => context.drains.some((drain) => drain.id === id),
    isUnknownDrain: ({ context }, { id }: { readonly id: number }) => context.drains.every((drain) => drain.id !== id),
    isLastDrain: ({ context }, { id }: { readonly id: number }) => context.drains.every((drain) => drain.id === id),
    isLastCut: ({ context }, { id }: { readonly id: number }) =>
      context.drains.every((drain) => drain.id === id || !drain.isCut),
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
    answerDeadline: ({ context }) => context.deadlines.answerMs,
  },
}).createMachine({
  id: 'node',
  context: ({ input }) => ({
    config: input.config,
    record: input.record ?? emptyRecord,
    deadlines: input.deadlines,
    change: {},
    drains: [],
    endedEarly: [],
    startFailure: '',
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
                  always: { guard: and(['publicApiIsStopped', 'recordIsSettled']), target: 'draining' },
                },
                draining: {
                  entry: { type: 'answerDone', params: { command: 'shutdown' } },
                  always: {
                    guard: and([not('somethingDrains'), 'recordIsSettled']),
                    target: 'answering',
                    description: 'nothing drains',
                  },
                  after: { leaveDeadline: 'outOfTime' },
                },
                outOfTime: {
                  entry: ['kill', assign({ exitCode: 1 })],
                  always: { guard: 'recordIsSettled', target: 'answering', description: 'out of time' },
                },
                answering: {
                  description: 'no further request',
                  invoke: { id: 'answer', src: 'answer', onDone: 'leaving', onError: 'leaving' },
                  after: { answerDeadline: 'leaving' },
                },
                leaving: {
                  meta: { refuses: { 'set-worker': shuttingDown, 'set-buckets': shuttingDown } },
                  always: { guard: 'recordIsSettled', target: '#node.exited', description: 'all answered' },
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
                'start-api': { guard: and(['nodeIsRunning', 'recordIsSettled']), target: 'starting.opening' },
                restore: {
                  guard: and(['nodeIsRunning', 'publicApiIsWanted']),
                  target: 'starting.restoring',
                  description: 'at start-up',
                },
              },
            },
            starting: {
              tags: 'busy',
              meta: { refuses: { 'start-api': 'Already starting' }, waits: 'Still starting' },
              initial: 'opening',
              states: {
                opening: {
                  description: 'by start-api',
                  meta: { onward: 'listen' },
                  invoke: {
                    id: 'listen',
                    src: 'listen',
                    input: { patienceMs: 0 },
                    onDone: 'recording',
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      description: 'cannot listen',
                      actions: {
                        type: 'answerFailed',
                        params: (failed) => ({ command: 'start-api', ...whyNotListening(failed) }),
                      },
                    },
                  },
                  after: {
                    listenDeadline: {
                      target: '#node.up.publicApi.stopping.closing.toUndo',
                      description: 'start failed',
                      actions: { type: 'noteStartFailure', params: whyNotListening },
                    },
                  },
                  on: {
                    shutdown: {
                      target: '#node.up.publicApi.stopping.closing.toRelease',
                      actions: { type: 'answerRefused', params: { command: 'start-api', reason: shuttingDown } },
                    },
                  },
                },
                recording: {
                  description: 'wanted running',
                  meta: { onward: 'save' },
                  invoke: {
                    id: 'save',
                    src: 'save',
                    input: ({ context }) => changed(context, { publicApi: 'running' }),
                    onDone: {
                      target: '#node.up.publicApi.running',
                      description: 'listening',
                      actions: [
                        { type: 'change', params: { publicApi: 'running' } },
                        'noteSaved',
                        { type: 'answerDone', params: { command: 'start-api' } },
                      ],
                    },
                    onError: {
                      target: '#node.up.publicApi.stopping.closing.toUndo',
                      description: 'start failed',
                      actions: [
                        { type: 'noteUnsaved', params: whyUnsaved },
                        { type: 'noteStartFailure', params: whyUnsaved },
                      ],
                    },
                  },
                  after: {
                    saveDeadline: {
                      target: '#node.up.publicApi.stopping.closing.toUndo',
                      description: 'start failed',
                      actions: [
                        { type: 'noteUnsaved', params: whyUnsaved },
                        { type: 'noteStartFailure', params: whyUnsaved },
                      ],
                    },
                  },
                  on: {
                    shutdown: {
                      target: '#node.up.publicApi.stopping.closing.toRelease',
                      actions: [
                        {
                          type: 'noteUnsaved',
                          params: { reason: 'A shutdown has overtaken a start-api that was being saved' },
                        },
                        { type: 'answerRefused', params: { command: 'start-api', reason: shuttingDown } },
                      ],
                    },
                  },
                },
                restoring: {
                  description: 'at start-up',
                  meta: { onward: 'listen' },
                  invoke: {
                    id: 'listen',
                    src: 'listen',
                    input: ({ context }) => ({ patienceMs: context.deadlines.restoreMs }),
                    onDone: { target: '#node.up.publicApi.running', description: 'listening' },
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      description: 'cannot listen',
                      actions: { type: 'noteListenFailure', params: whyNotRestored },
                    },
                  },
                  after: {
                    restoreDeadline: {
                      target: '#node.up.publicApi.stopping.closing.toRelease',
                      description: 'start failed',
                      actions: { type: 'noteListenFailure', params: whyNotRestored },
                    },
                  },
                  on: { shutdown: '#node.up.publicApi.stopping.closing.toRelease' },
                },
              },
            },
            running: {
              meta: { refuses: { 'start-api': 'Already started' } },
              entry: assign({ listenFailure: null }),
              on: {
                'stop-api': [
                  { guard: and(['recordIsSettled', not('hasLameDuck')]), target: 'stopping.closing.toStop' },
                  { guard: 'recordIsSettled', target: 'lameDuck.toStop' },
                ],
                shutdown: [
                  { guard: not('hasLameDuck'), target: 'stopping.closing.toRelease' },
                  { target: 'lameDuck.toRelease' },
                ],
              },
            },
            lameDuck: {
              description: 'serving, not ready',
              tags: ['busy', 'lameDuck'],
              meta: { refuses: { 'stop-api': 'Already stopping' }, waits: 'Still stopping', onward: 'lameDuck' },
              entry: ['retire', raise({ type: 'lameDuck.over' }, { delay: 'lameDuck' })],
              initial: 'toStop',
              states: {
                // A shutdown does not shorten it: load balancers rely on this time.
                toStop: {
                  description: 'by stop-api',
                  on: {
                    'lameDuck.over': {
                      target: '#node.up.publicApi.stopping.closing.toStop',
                      description: 'time is up',
                    },
                  },
                },
                toRelease: {
                  description: 'by shutdown',
                  on: {
                    'lameDuck.over': {
                      target: '#node.up.publicApi.stopping.closing.toRelease',
                      description: 'time is up',
                    },
                  },
                },
              },
            },
            stopping: {
              tags: 'busy',
              meta: { refuses: { 'stop-api': 'Already stopping' }, waits: 'Still stopping' },
              initial: 'closing',
              states: {
                closing: {
                  meta: { onward: 'close' },
                  entry: assign({ endedEarly: [] }),
                  invoke: {
                    id: 'close',
                    src: 'close',
                    onDone: {
                      actions: [
                        enqueueActions(({ context, enqueue, event }) => {
                          const { drain } = event.output;
                          if (drain === null || context.endedEarly.includes(drain.id)) return;
                          enqueue.assign({ drains: [...context.drains, { ...drain, isCut: false }] });
                          enqueue.raise({ type: 'drain.deadline', id: drain.id }, { delay: 'drainDeadline' });
                        }),
                        raise({ type: 'port.closed' }),
                      ],
                    },
                    onError: { actions: ['kill', raise({ type: 'port.closed' })] },
                  },
                  after: { closeDeadline: { actions: ['kill', raise({ type: 'port.closed' })] } },
                  on: {
                    'drain.ended': {
                      guard: { type: 'isUnknownDrain', params: whichDrain },
                      actions: assign({ endedEarly: ({ context, event }) => [...context.endedEarly, event.id] }),
                    },
                  },
                  initial: 'toStop',
                  states: {
                    toStop: {
                      description: 'by stop-api',
                      on: { 'port.closed': '#node.up.publicApi.stopping.recording' },
                    },
                    toUndo: {
                      description: 'a start-api that failed',
                      on: {
                        'port.closed': {
                          target: '#node.up.publicApi.stopped',
                          description: 'port refuses',
                          actions: {
                            type: 'answerFailed',
                            params: ({ context }) => ({ command: 'start-api', reason: context.startFailure }),
                          },
                        },
                      },
                    },
                    toRelease: {
                      description: 'desired state unchanged',
                      on: {
                        'port.closed': { target: '#node.up.publicApi.stopped', description: 'port refuses' },
                      },
                    },
                  },
                },
                recording: {
                  description: 'wanted stopped',
                  meta: { onward: 'save' },
                  invoke: {
                    id: 'save',
                    src: 'save',
                    input: ({ context }) => changed(context, { publicApi: 'stopped' }),
                    onDone: {
                      target: '#node.up.publicApi.stopped',
                      description: 'port refuses',
                      actions: 'noteSaved',
                    },
                    onError: {
                      target: '#node.up.publicApi.stopped',
                      description: 'port refuses',
                      actions: { type: 'noteUnsaved', params: whyUnsaved },
                    },
                  },
                  after: {
                    saveDeadline: {
                      target: '#node.up.publicApi.stopped',
                      description: 'port refuses',
                      actions: { type: 'noteUnsaved', params: whyUnsaved },
                    },
                  },
                  exit: [
                    { type: 'change', params: { publicApi: 'stopped' } },
                    { type: 'answerDone', params: { command: 'stop-api' } },
                  ],
                },
              },
            },
          },
        },

        drain: {
          initial: 'none',
          on: {
            'drain.ended': { actions: { type: 'removeDrain', params: whichDrain } },
          },
          states: {
            none: {
              always: { guard: 'somethingDrains', target: 'draining', description: 'port closed' },
            },
            draining: {
              on: {
                'drain.ended': [
                  {
                    guard: { type: 'isLastDrain', params: whichDrain },
                    target: 'none',
                    description: 'all sent',
                    actions: { type: 'removeDrain', params: whichDrain },
                  },
                ],
                'drain.deadline': {
                  guard: { type: 'isDraining', params: whichDrain },
                  target: 'cutting',
                  description: 'deadline',
                  actions: [
                    { type: 'cut', params: whichDrain },
                    { type: 'markCut', params: whichDrain },
                  ],
                },
              },
            },
            cutting: {
              on: {
                'drain.ended': [
                  {
                    guard: { type: 'isLastDrain', params: whichDrain },
                    target: 'none',
                    description: 'cut at the deadline',
                    actions: { type: 'removeDrain', params: whichDrain },
                  },
                  {
                    guard: { type: 'isLastCut', params: whichDrain },
                    target: 'draining',
                    description: 'cut at the deadline',
                    actions: { type: 'removeDrain', params: whichDrain },
                  },
                ],
                'drain.deadline': {
                  guard: { type: 'isDraining', params: whichDrain },
                  actions: [
                    { type: 'cut', params: whichDrain },
                    { type: 'markCut', params: whichDrain },
                  ],
                },
              },
            },
          },
        },

        record: {
          initial: 'settled',
          states: {
            settled: {
              on: {
                'set-worker': {
                  guard: 'publicApiIsSettled',
                  target: 'saving',
                  actions: assign({ change: ({ event }) => settingsChange(event) }),
                },
                'set-buckets': {
                  guard: 'publicApiIsSettled',
                  target: 'saving',
                  actions: assign({ change: ({ event }) => settingsChange(event) }),
                },
                shutdown: { guard: 'nodeIsRunning', target: 'rewriting' },
              },
              initial: 'saved',
              states: {
                saved: {
                  always: { guard: 'isUnsaved', target: 'unsaved' },
                },
                unsaved: {
                  always: { guard: not('isUnsaved'), target: 'saved' },
                  after: {
                    saveRetry: [
                      {
                        guard: 'publicApiIsSettled',
                        target: '#node.up.record.rewriting.writing',
                        description: 'try again',
                      },
                      { target: 'unsaved', reenter: true },
                    ],
                  },
                },
              },
            },
            saving: {
              tags: 'busy',
              meta: { waits: saving, onward: 'save' },
              invoke: {
                id: 'save',
                src: 'save',
                input: ({ context }) => changed(context, context.change),
                onDone: {
                  target: 'applying',
                  description: 'settings saved',
                  actions: [{ type: 'change', params: ({ context }) => context.change }, 'noteSaved'],
                },
                onError: {
                  target: 'settled',
                  description: 'cannot save',
                  actions: [
                    { type: 'noteUnsaved', params: whyUnsaved },
                    { type: 'answerFailed', params: (failed) => ({ ...whichSettings(failed), ...whyUnsaved(failed) }) },
                  ],
                },
              },
              after: {
                saveDeadline: {
                  target: 'settled',
                  description: 'cannot save',
                  actions: [
                    { type: 'noteUnsaved', params: whyUnsaved },
                    { type: 'answerFailed', params: (failed) => ({ ...whichSettings(failed), ...whyUnsaved(failed) }) },
                  ],
                },
              },
            },
            applying: {
              tags: 'busy',
              meta: { waits: saving, onward: 'configure' },
              exit: { type: 'answerDone', params: whichSettings },
              invoke: {
                id: 'configure',
                src: 'configure',
                input: ({ context }) => desiredState(context.config, context.record),
                onDone: { target: 'settled', description: 'in use' },
                onError: { target: 'settled', description: 'server processes replaced', actions: 'kill' },
              },
              after: {
                configureDeadline: { target: 'settled', description: 'server processes replaced', actions: 'kill' },
              },
            },
            rewriting: {
              tags: 'busy',
              meta: { waits: saving },
              initial: 'waiting',
              states: {
                waiting: {
                  description: 'for the port to refuse',
                  always: [
                    { guard: and(['publicApiIsStopped', or(['somethingIsRecorded', 'isUnsaved'])]), target: 'writing' },
                    {
                      guard: 'publicApiIsStopped',
                      target: '#node.up.record.settled',
                      description: 'saved',
                    },
                  ],
                },
                writing: {
                  meta: { onward: 'save' },
                  invoke: {
                    id: 'save',
                    src: 'save',
                    input: ({ context }) => context.record,
                    onDone: { target: '#node.up.record.settled', description: 'saved', actions: 'noteSaved' },
                    onError: {
                      target: '#node.up.record.settled',
                      description: 'cannot save',
                      actions: { type: 'noteUnsaved', params: whyUnsaved },
                    },
                  },
                  after: {
                    saveDeadline: {
                      target: '#node.up.record.settled',
                      description: 'cannot save',
                      actions: { type: 'noteUnsaved', params: whyUnsaved },
                    },
                  },
                },
              },
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
