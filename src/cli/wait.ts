// Waits for what the node is to come to, by its events.
import { setTimeout as sleep } from 'node:timers/promises';
import { NotReachable } from '../base/errors.ts';
import { EventsRefused, followEvents } from '../client/event-follower.ts';
import type { OperatorClient } from '../client/http-client.ts';
import type { StateDocument } from '../control/node-control.ts';
import { problemLines } from './answers.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { complain, say } from './print.ts';
import type { Goal } from './wait-options.ts';

export interface Waiting {
  readonly client: OperatorClient;
  readonly url: string;
  readonly secretFrom: string;
  readonly output: 'text' | 'json';
  readonly waitTimeout: number;
  /** As the answer had it. */
  readonly state: StateDocument;
  /** It has been told to shut down: if it cannot be reached any more, it has ended. */
  readonly isEnding: boolean;
}

/** The answer to a node's last command, and its process, may still be on their way out. */
const pollMs = 100;

type End = 'reached' | 'too late' | 'never';

/** @returns the exit code; what there is to say has been said */
export async function waitFor(goal: Goal, waiting: Waiting): Promise<number> {
  const start = performance.now();
  const late = AbortSignal.timeout(waiting.waitTimeout);
  try {
    const end = await reach(goal, waiting, late);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (end === 'reached') {
      if (waiting.output === 'text') say(`${goal} after ${seconds} s`);
      return exitCode('done');
    }
    complain(end === 'never' ? `The node has ended: it is not ${goal}` : `Not ${goal} after ${seconds} s`);
    return exitCode('notReached');
  } catch (error) {
    if (!(error instanceof EventsRefused)) throw error;
    complain(...problemLines(error.answer, waiting));
    return exitCodeOf(error.answer.status);
  }
}

async function reach(goal: Goal, waiting: Waiting, late: AbortSignal): Promise<End> {
  const { client, state, isEnding } = waiting;
  if (holds(goal, state)) return 'reached';
  const gone = new AbortController();
  const signal = AbortSignal.any([late, gone.signal]);
  // A process that was killed says no last word.
  const lost = () => goal === 'exited' && gone.abort();
  try {
    for await (const { name, data } of followEvents({ open: client.events, signal, lost })) {
      if (name === 'end') return await ended(goal, waiting, late);
      if (name !== 'state') continue;
      const now: StateDocument = JSON.parse(data);
      // Another process answers there now.
      if (now.startedAt !== state.startedAt && goal === 'exited') return 'reached';
      if (holds(goal, now)) return 'reached';
    }
    return gone.signal.aborted ? await ended(goal, waiting, late) : 'too late';
  } catch (error) {
    if (late.aborted) return 'too late';
    if (isGone(error) && (isEnding || goal === 'exited')) return ended(goal, waiting, late);
    throw error;
  }
}

const isGone = (error: unknown): boolean => error instanceof NotReachable;

function holds(goal: Goal, { node, publicApi, drain }: StateDocument): boolean {
  switch (goal) {
    case 'running':
      return node === 'running' && publicApi === 'running';
    case 'stopped':
      return publicApi === 'stopped';
    case 'drained':
      return drain === null && (publicApi === 'stopped' || publicApi === 'running');
    case 'exited':
      return false;
  }
}

/** The node has told of its end: nothing drains, nothing runs; for its process to be gone, its port has to be. */
async function ended(goal: Goal, { client, state }: Waiting, late: AbortSignal): Promise<End> {
  if (goal === 'running') return 'never';
  while (goal === 'exited' && !late.aborted) {
    const isThere = await client.state().then(
      ({ document }) => (document as Partial<StateDocument> | null)?.startedAt === state.startedAt,
      (error: unknown) => !isGone(error),
    );
    if (!isThere) return 'reached';
    await sleep(pollMs);
  }
  return goal === 'exited' ? 'too late' : 'reached';
}
