// The download machine: one copy of one object, from the request for it until it is here, or has failed.
//
//   requested  waits for a place among the downloads in progress, and for the file that the bytes will be written to.
//   probing    waits for a source that has the bytes from the offset that has been reached.
//   fetching   waits for the last byte. A source that fails midway is left, and the next one is probed for the rest.
//   verifying  waits until the bytes match what the directory states, and the copy is on disk and in the index.
//   here       the copy can be served.
//   failed     no more bytes will come, or those that came are wrong. The next request begins a new download.
//
// Each effect is an actor, invoked in the state that waits for it, and aborted when that state is left. One deadline covers
// all of them. Bytes that prove wrong are not fetched again: responses have begun with them, and have to break.
import { assign, fromPromise, setup } from 'xstate';

/** There is a place, and a file. */
export interface Placed {
  /** Bytes of an earlier download that are in the file. */
  readonly received: number;
}

/** A source has been opened. */
export interface Probed {
  /** Bytes of the whole object. */
  readonly size: number;
}

export interface DownloadInput {
  readonly deadlineMs: number;
}

/**
 * Why a download has failed. `noSource`: no source gives all bytes. `notKept`: the object is too large, or of unknown size.
 * `wrong`: the bytes are not those of the object. `disk`: the copy cannot be written. `late`: the deadline has passed.
 */
export type DownloadFailure = 'noSource' | 'notKept' | 'wrong' | 'disk' | 'late' | 'aborted';

interface Context {
  readonly deadlineMs: number;
  /** Bytes of the file, from the start, that can be read. */
  readonly received: number;
  /** Null: not known before a source is open. */
  readonly size: number | null;
  /** How often a source has failed since the last time that one has brought enough to be worth another attempt. */
  readonly setbacks: number;
  readonly failure: DownloadFailure | null;
}

/** After so many setbacks the download has failed. */
export const maxSetbacks = 3;

/** Setbacks before so many further bytes are forgiven. */
export const worthwhileBytes = 1_048_576;

/** An effect that failed for a reason of its own; any other error of an effect is a fault of the source. */
export class DownloadFault extends Error {
  override readonly name = 'DownloadFault';
  readonly failure: DownloadFailure;
  /** Bytes of the file that can be read although the effect failed. */
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

/** Given from outside: an actor that is missing would otherwise wait without an end. */
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
    /** Resolves when the copy is whole, right, and in the index. */
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
              actions: assign({ received: ({ context }) => context.size ?? 0 }),
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
              // The bytes are all there, so no source can be the reason.
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
