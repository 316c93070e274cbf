// Follows the node's events: connects, resumes, notices silence, tries again with back-off.
import { EventParser, type ReceivedEvent } from '../client/event-parser.ts';
import { apiBase, type Problem, problemOf } from './api.ts';
import type { Credentials } from './credentials.ts';

export type Connection =
  | { readonly is: 'connecting' }
  | { readonly is: 'live' }
  /** `retryAtMs`: when the next try is. */
  | { readonly is: 'lost'; readonly why: string; readonly retryAtMs: number }
  /** The node does not want us: trying again would not help. */
  | { readonly is: 'refused'; readonly problem: Problem };

export interface FollowOptions {
  readonly credentials: Credentials;
  readonly onEvent: (event: ReceivedEvent) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Something came, if only a heartbeat. */
  readonly onSign: () => void;
}

export interface Following {
  /** Try again now. */
  now(): void;
  stop(): void;
}

/** MetricsSeries come once a second: silence for this long means that nobody is there. */
const longestSilenceMs = 15_000;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

export function follow({ credentials, onEvent, onConnection, onSign }: FollowOptions): Following {
  let lastId = '';
  let failures = 0;
  let isStopped = false;
  let wake = (): void => {};
  let attempt = new AbortController();

  /** Reads one connection to its end. Whatever it throws is a reason to try again. */
  async function connection(): Promise<Problem | null> {
    attempt = new AbortController();
    let silence = setTimeout(() => attempt.abort(), longestSilenceMs);
    try {
      const url = `${apiBase}/events`;
      const headers = {
        authorization: await credentials.authorize(url),
        ...(lastId !== '' && { 'last-event-id': lastId }),
      };
      const response = await fetch(url, { headers, cache: 'no-store', signal: attempt.signal });
      if (!response.ok || response.body === null) return problemOf(response, await response.json().catch(() => null));
      failures = 0;
      onSign();
      onConnection({ is: 'live' });
      const parser = new EventParser();
      parser.lastEventId = lastId;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(silence);
        silence = setTimeout(() => attempt.abort(), longestSilenceMs);
        onSign();
        for (const event of parser.push(part.value)) onEvent(event);
        lastId = parser.lastEventId;
      }
      return null;
    } finally {
      clearTimeout(silence);
    }
  }

  async function run(): Promise<void> {
    onConnection({ is: 'connecting' });
    while (!isStopped) {
      const problem = await connection().catch(() => null);
      if (isStopped) return;
      if (problem !== null && problem.status < 500) return onConnection({ is: 'refused', problem });
      failures += 1;
      // Spread out, so that the pages of several operators do not all come back in the same instant.
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * (0.75 + Math.random() / 4);
      const why =
        problem === null ? 'the node does not answer' : `the node answered ${problem.status} ${problem.detail}`;
      onConnection({ is: 'lost', why, retryAtMs: Date.now() + pause });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  void run();
  return {
    now: () => wake(),
    stop: () => {
      isStopped = true;
      attempt.abort();
      wake();
    },
  };
}
