// Follows the node's events for the page, and reports the state of the connection.
import { EventParser, type ReceivedEvent } from '../client/event-parser.ts';
import { type Lost, reconnecting } from '../client/reconnect.ts';
import { apiBase, type Problem, problemOf } from './api.ts';
import type { Credentials } from './credentials.ts';

export type Connection =
  | { readonly is: 'connecting' }
  | { readonly is: 'live' }
  /** `retryAtMs`: time of the next attempt. */
  | { readonly is: 'lost'; readonly why: string; readonly retryAtMs: number }
  /** The credentials are rejected; a retry would not help. */
  | { readonly is: 'refused'; readonly problem: Problem };

export interface FollowOptions {
  readonly credentials: Credentials;
  readonly onEvent: (event: ReceivedEvent) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Called when data arrives, including heartbeats. */
  readonly onSign: () => void;
}

export interface Following {
  /** Reconnect now. */
  now(): void;
  stop(): void;
}

/** An answer that is not a stream. */
class Rejected extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`the node answered ${problem.status} ${problem.detail}`);
    this.problem = problem;
  }
}

const openTimeoutMs = 15_000;

export function follow({ credentials, onEvent, onConnection, onSign }: FollowOptions): Following {
  const stopped = new AbortController();
  let wake = (): void => {};

  async function open(lastEventId: string, signal: AbortSignal): Promise<Response> {
    const url = `${apiBase}/events`;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), openTimeoutMs);
    try {
      const headers = {
        authorization: await credentials.authorize(url),
        ...(lastEventId !== '' && { 'last-event-id': lastEventId }),
      };
      const both = AbortSignal.any([signal, late.signal]);
      const response = await fetch(url, { headers, cache: 'no-store', signal: both });
      if (!response.ok) throw new Rejected(problemOf(response, await response.json().catch(() => null)));
      if (!stopped.signal.aborted) onConnection({ is: 'live' });
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  function onLost({ error, pauseMs }: Lost): Promise<void> | void {
    if (error instanceof Rejected && error.problem.status < 500) {
      stopped.abort();
      return onConnection({ is: 'refused', problem: error.problem });
    }
    const why = error instanceof Rejected ? error.message : 'the node does not answer';
    onConnection({ is: 'lost', why, retryAtMs: Date.now() + pauseMs });
    return new Promise((resolve) => {
      wake = resolve;
    });
  }

  async function run(): Promise<void> {
    onConnection({ is: 'connecting' });
    const parser = new EventParser();
    const events = reconnecting({ open, parser, onLost, onData: onSign, signal: stopped.signal });
    for await (const event of events) onEvent(event);
  }

  void run();
  return { now: () => wake(), stop: () => stopped.abort() };
}
