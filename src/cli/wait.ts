// `--wait`: waits, by the events of the node, until it has reached a goal.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { NotReachable } from '../base/errors.ts';
import type { OperatorClient } from '../client/http-client.ts';
import type { StateDocument } from '../control/node-control.ts';
import { problemLines } from './answers.ts';
import { parseTimeout } from './argument-types.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { say, sayError } from './print.ts';

const goals = ['drained', 'running', 'stopped', 'exited'] as const;

/** `drained`: no response from before the stop is left. `exited`: the process has closed its operator port. */
type Goal = (typeof goals)[number];

export interface WaitOptions {
  readonly wait?: Goal;
  /** Milliseconds. */
  readonly waitTimeout: number;
}

export const withWait = (command: Command): Command =>
  command
    .addOption(
      new Option('--wait <goal>', 'after the answer, wait until the node is').choices(goals).conflicts('dryRun'),
    )
    .addOption(
      new Option('--wait-timeout <time>', 'timeout for --wait').argParser(parseTimeout).default(60_000, '60s'),
    );

export interface Waiting {
  readonly client: OperatorClient;
  readonly url: string;
  readonly secretFrom: string;
  readonly output: 'text' | 'json';
  readonly waitTimeout: number;
  /** From the answer. */
  readonly state: StateDocument;
  /** The command was `shutdown`: an unreachable node has ended. */
  readonly isEnding: boolean;
}

/** How often to check whether the process has exited. */
const pollMs = 100;

type End = 'reached' | 'too late' | 'never';

/** Prints the result. @returns the exit code */
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
    sayError(end === 'never' ? `The node has ended: it will not be ${goal}` : `Not ${goal} after ${seconds} s`);
    return exitCode('notReached');
  } catch (error) {
    const { EventsRefused } = await import('../client/event-follower.ts');
    if (!(error instanceof EventsRefused)) throw error;
    sayError(...problemLines(error.answer, waiting));
    return exitCodeOf(error.answer.status);
  }
}

async function reach(goal: Goal, waiting: Waiting, late: AbortSignal): Promise<End> {
  const { client, state, isEnding } = waiting;
  const { followEvents } = await import('../client/event-follower.ts');
  if (holds(goal, state)) return 'reached';
  const gone = new AbortController();
  const signal = AbortSignal.any([late, gone.signal]);
  // A killed process sends no `end` event.
  const lost = () => goal === 'exited' && gone.abort();
  try {
    for await (const { name, data } of followEvents({ open: client.events, signal, lost })) {
      if (name === 'end') return await ended(goal, waiting, late);
      if (name !== 'state') continue;
      const now: StateDocument = JSON.parse(data);
      // Another process answers at this URL now.
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

/** After the `end` event nothing drains or runs. The process has exited once its port is closed. */
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
