// The download machine: one copy of one object, from the request until the copy is here or the download has failed.
//
//   requested  waits for a place among the downloads in progress, and for the file to write to.
//   probing    waits for a source that has the bytes from the current offset.
//   fetching   waits for the last byte. If a source fails midway, another one is probed for the rest.
//   verifying  waits until the bytes match the directory, and the copy is on disk and in the index.
//   here       the copy can be served.
//   failed     no more bytes will come, or the bytes were wrong. The next request begins a new download.
//
// Each effect is an actor, invoked in the state that waits for it, and aborted when that state is left. One deadline covers
// all effects. Wrong bytes are not fetched again: responses have already sent some of them, and must be cut.
import { assign, fromPromise, setup } from 'xstate';

/** The result of `place`: there is a place, and a file. */
export interface Placed {
  /** Bytes in the file from an earlier download. */
  readonly received: number;
}

/** The result of `probe`: a source is open. */
export interface Probed {
  /** Bytes of the whole object. */
  readonly size: number;
}

export interface DownloadInput {
  readonly deadlineMs: number;
}

/**
 * Why a download has failed. `noSource`: no source delivers all bytes. `notKept`: the object is too large, or of unknown size.
 * `wrong`: the bytes are not those of the object. `disk`: the copy cannot be written. `late`: the deadline has passed.
 */
export type DownloadFailure = 'noSource' | 'notKept' | 'wrong' | 'disk' | 'late' | 'aborted';

interface Context {
  readonly deadlineMs: number;
  /** Bytes in the file that can be read, from the start. */
  readonly received: number;
  /** Null: not known before a source is open. */
  readonly size: number | null;
  /** Number of times that a source has failed since one last delivered `worthwhileBytes`. */
  readonly setbacks: number;
  readonly failure: DownloadFailure | null;
}

/** At this many setbacks, the download fails. */
export const maxSetbacks = 3;

/** A source that delivers this many bytes before it fails resets the setbacks. */
export const worthwhileBytes = 1_048_576;

/** An effect that failed for a stated reason; any other error of an effect counts as `noSource`. */
export class DownloadFault extends Error {
  override readonly name = 'DownloadFault';
  readonly failure: DownloadFailure;
  /** Bytes in the file that can be read even though the effect failed. */
  readonly received: number;

  constructor(failure: DownloadFailure, received: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
    this.received = received;
  }
}

const failureOf = (error: unknown): DownloadFailure => (error instanceof DownloadFault ? error.failure : 'noSource');
const receivedOf = (error: unknown, before: number): number =>
  error instanceof DownloadFault ? Math.max(error.received, before) : before;

/** The caller provides the effects; without this error, a missing actor would wait forever. */
const notProvided = async (): Promise<never> => {
  throw new Error('The download machine runs without its effects');
};

export const downloadMachine = setup({
  types: {
    context: {} as Context,
    input: {} as DownloadInput,
    events: {} as { readonly type: 'abort' },
    output: {} as { readonly failure: DownloadFailure | null },
  },
  actors: {
    place: fromPromise<Placed>(notProvided),
    /** Opens a source at the offset. */
    probe: fromPromise<Probed, { readonly from: number }>(notProvided),
    /** Resolves when all bytes are in the file. */
    fetch: fromPromise<void>(notProvided),
    /** Resolves when the copy is complete, correct and in the index. */
    verify: fromPromise<void>(notProvided),
  },
  delays: { deadline: ({ context }) => context.deadlineMs },
  guards: {
    isSetback: ({ context }, { error }: { readonly error: unknown }) => {
      if (failureOf(error) !== 'noSource') return false;
      const isWorthwhile = receivedOf(error, context.received) - context.received >= worthwhileBytes;
      return isWorthwhile || context.setbacks + 1 < maxSetbacks;
    },
  },
}).createMachine({
  id: 'download',
  context: ({ input }) => ({
    ...{ deadlineMs: input.deadlineMs, received: 0, size: null, setbacks: 0, failure: null },
  }),
  output: ({ context }) => ({ failure: context.failure }),
  initial: 'underWay',
  states: {
    underWay: {
      after: { deadline: { target: 'failed', description: 'deadline', actions: assign({ failure: 'late' }) } },
      on: { abort: { target: 'failed', description: 'aborted', actions: assign({ failure: 'aborted' }) } },
      initial: 'requested',
      states: {
        requested: {
          description: 'waits for a place',
          invoke: {
            id: 'place',
            src: 'place',
            onDone: {
              target: 'probing',
              description: 'place and file',
              actions: assign({ received: ({ event }) => event.output.received }),
            },
            onError: {
              target: '#download.failed',
              actions: assign({ failure: ({ event }) => failureOf(event.error) }),
            },
          },
        },
        probing: {
          description: 'waits for a source',
          invoke: {
            id: 'probe',
            src: 'probe',
            input: ({ context }) => ({ from: context.received }),
            onDone: {
              target: 'fetching',
              description: 'source open',
              actions: assign({ size: ({ event }) => event.output.size }),
            },
            onError: {
              target: '#download.failed',
              description: 'no source',
              actions: assign({ failure: ({ event }) => failureOf(event.error) }),
            },
          },
        },
        fetching: {
          description: 'bytes arrive',
          invoke: {
            id: 'fetch',
            src: 'fetch',
            onDone: {
              target: 'verifying',
              description: 'all bytes',
              // Known since a source is open.
              actions: assign({ received: ({ context }) => Number(context.size) }),
            },
            onError: [
              {
                target: 'probing',
                description: 'setback',
                guard: { type: 'isSetback', params: ({ event }) => ({ error: event.error }) },
                actions: assign(({ context, event }) => {
                  const received = receivedOf(event.error, context.received);
                  const isWorthwhile = received - context.received >= worthwhileBytes;
                  return { received, setbacks: isWorthwhile ? 0 : context.setbacks + 1 };
                }),
              },
              {
                target: '#download.failed',
                actions: assign(({ context, event }) => ({
                  received: receivedOf(event.error, context.received),
                  failure: failureOf(event.error),
                })),
              },
            ],
          },
        },
        verifying: {
          description: 'size and hash are checked',
          invoke: {
            id: 'verify',
            src: 'verify',
            onDone: { target: '#download.here', description: 'right, in the index' },
            onError: {
              target: '#download.failed',
              description: 'wrong, or not written',
              // All bytes have been received, so no source can be the reason.
              actions: assign({
                failure: ({ event }) => (event.error instanceof DownloadFault ? event.error.failure : 'disk'),
              }),
            },
          },
        },
      },
    },
    here: { type: 'final', description: 'can be served' },
    failed: { type: 'final', description: 'no more bytes will come' },
  },
});
