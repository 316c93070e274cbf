// Follows a node's events over as many connections as it takes: resumes, notices silence, and ends with the last event.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, NotReachable } from '../base/errors.ts';
import { EventParser, type ReceivedEvent } from './event-parser.ts';
import type { Answer } from './http-client.ts';

/** The node answered something else than a stream, and asking again would not help. */
export class EventsRefused extends Error {
  override readonly name = 'EventsRefused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`The events were refused with ${answer.status}`);
    this.answer = answer;
  }
}

export interface FollowOptions {
  /** One connection. @throws {NotReachable | TimedOut} */
  readonly open: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  /** Ends it, without an error. */
  readonly signal?: AbortSignal;
  /** A connection that had been there was lost; the next try is under way. */
  readonly lost?: (why: string) => void;
}

/** MetricsSeries come once a second: silence for this long means that nobody is there. */
const longestSilenceMs = 20_000;
const longestPauseMs = 10_000;

/**
 * Every event of the node, until its last, or until the signal.
 * @throws {NotReachable | TimedOut} where the node could not be reached in the first place
 * @throws {EventsRefused}
 */
export async function* followEvents({ open, signal, lost }: FollowOptions): AsyncGenerator<ReceivedEvent> {
  const parser = { lastEventId: '', retryMs: 500 };
  for (let wasThere = false, failures = 0; !signal?.aborted; ) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    signal?.addEventListener('abort', end, { once: true });
    try {
      const response = await open(parser.lastEventId, attempt.signal);
      if (response.status >= 500 && wasThere) throw new Error(`it answered ${response.status}`);
      wasThere ||= response.ok;
      for await (const event of eventsOf(response, parser, attempt)) {
        failures = 0;
        yield event;
        if (event.name === 'end') return;
      }
      lost?.('the connection has ended');
    } catch (error) {
      if (signal?.aborted) return;
      if (!wasThere || error instanceof EventsRefused) throw error;
      if (failures === 0) lost?.(messageOf(error));
      failures += 1;
    } finally {
      signal?.removeEventListener('abort', end);
      attempt.abort();
    }
    const pause = Math.min(parser.retryMs * 2 ** Math.max(0, failures - 1), longestPauseMs);
    await sleep(pause, undefined, signal && { signal }).catch(() => {});
  }
}

type Place = { lastEventId: string; retryMs: number };

/** The events of one connection; keeps where it is for the next. */
async function* eventsOf(response: Response, place: Place, attempt: AbortController): AsyncGenerator<ReceivedEvent> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (!response.ok || !isStream || response.body === null) {
    const document: unknown = await response.json().catch(() => null);
    throw new EventsRefused({ status: response.status, document });
  }
  const parser = new EventParser();
  parser.lastEventId = place.lastEventId;
  const silence = setTimeout(() => attempt.abort(new NotReachable('nothing was heard any more')), longestSilenceMs);
  try {
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      silence.refresh();
      for (const event of parser.push(piece)) {
        place.lastEventId = event.lastEventId;
        yield event;
      }
      place.lastEventId = parser.lastEventId;
      place.retryMs = Math.min(parser.retryMs ?? place.retryMs, longestPauseMs);
    }
  } finally {
    clearTimeout(silence);
  }
}
