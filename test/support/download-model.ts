// The pure download machine as a model: what may happen in each state, and what it leads to.
import { type EventFrom, getNextTransitions, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { DownloadFault, downloadMachine, worthwhileBytes } from '../../machines/download.ts';

export type DownloadSnapshot = SnapshotFrom<typeof downloadMachine>;
type DownloadEvent = EventFrom<typeof downloadMachine>;

export interface DownloadStep {
  readonly name: string;
  readonly event: DownloadEvent;
}

export const objectBytes = 5_000_000;

export const initialDownload = (): DownloadSnapshot => initialTransition(downloadMachine, { deadlineMs: 60_000 })[0];

export const advanceDownload = (state: DownloadSnapshot, { event }: DownloadStep): DownloadSnapshot =>
  transition(downloadMachine, state, event)[0];

/** The machine's own events have no place in its event type. */
const step = (name: string, event: object): DownloadStep => ({ name, event: event as DownloadEvent });

const done = (actor: string, name: string, output?: unknown) =>
  step(name, { type: `xstate.done.actor.${actor}`, output });
const failed = (actor: string, name: string, error: unknown) =>
  step(name, { type: `xstate.error.actor.${actor}`, error });
const fault = (failure: ConstructorParameters<typeof DownloadFault>[0], received: number) =>
  new DownloadFault(failure, received, failure);

/** Everything that may happen in a state. */
export function downloadSteps(state: DownloadSnapshot): DownloadStep[] {
  if (state.status !== 'active') return [];
  const { received } = state.context;
  const byActor: Readonly<Record<string, readonly DownloadStep[]>> = {
    place: [
      done('place', 'a place is free', { received: 0 }),
      done('place', 'a place is free, and half is on disk', { received: objectBytes / 2 }),
      failed('place', 'there is no room', fault('notKept', 0)),
      failed('place', 'the disk fails', fault('disk', 0)),
    ],
    probe: [
      done('probe', 'a source is open', { size: objectBytes }),
      failed('probe', 'no source has it', new Error('no source')),
      failed('probe', 'the source says no size', fault('notKept', received)),
    ],
    fetch: [
      done('fetch', 'all bytes are there'),
      failed('fetch', 'the source ends at once', fault('noSource', received)),
      failed('fetch', 'the source ends late', fault('noSource', Math.min(received + worthwhileBytes, objectBytes - 1))),
      failed('fetch', 'the source sends too much', fault('wrong', received)),
      failed('fetch', 'the disk fails', fault('disk', received)),
    ],
    verify: [
      done('verify', 'the copy is right'),
      failed('verify', 'the hash is another', fault('wrong', received)),
      failed('verify', 'the disk fails', new Error('EIO')),
    ],
  };
  const timers = getNextTransitions(state)
    .map(({ eventType }) => eventType)
    .filter((type) => type.startsWith('xstate.after.'))
    .map((type) => step('the deadline passes', { type }));
  const effects = Object.keys(state.children).flatMap((actor) => byActor[actor] ?? []);
  return [
    ...effects,
    ...new Map(timers.map((one) => [one.event.type, one])).values(),
    step('abort', { type: 'abort' }),
  ];
}

export const stageOf = ({ value }: DownloadSnapshot): string => (typeof value === 'string' ? value : value.underWay);

/** What decides what may follow. */
export const downloadKey = (state: DownloadSnapshot): string => {
  const { received, setbacks, failure } = state.context;
  return [stageOf(state), received, setbacks, failure].join(' ');
};
