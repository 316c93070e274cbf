// Follows the events of a node until its last event, for programs on the command line.
import { messageOf } from '../base/errors.ts';
import { EventParser, type ReceivedEvent } from './event-parser.ts';
import type { Answer } from './http-client.ts';
import { reconnecting } from './reconnect.ts';

/** The answer was not an event stream; a retry would not help. */
export class EventsRefused extends Error {
  override readonly name = 'EventsRefused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`The events were refused with ${answer.status}`);
    this.answer = answer;
  }
}

export interface FollowOptions {
  /** Opens one connection. @throws {NotReachable | TimedOut} */
  readonly open: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  /** Ends the events, without an error. */
  readonly signal?: AbortSignal;
  /** Called when an established connection is lost, before the first retry. */
  readonly lost?: (why: string) => void;
}

/**
 * Every event of the node, until its last, or until the signal.
 * @throws {NotReachable | TimedOut} if the first connection fails
 * @throws {EventsRefused}
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<ReceivedEvent> {
  const { signal = new AbortController().signal, lost } = options;
  let wasConnected = false;
  const open = async (lastEventId: string, attempt: AbortSignal): Promise<Response> => {
    const response = await options.open(lastEventId, attempt);
    if (response.status >= 500 && wasConnected) throw new Error(`it answered ${response.status}`);
    wasConnected ||= response.ok;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (response.ok && isStream && response.body !== null) return response;
    const document: unknown = await response.json().catch(() => null);
    throw new EventsRefused({ status: response.status, document });
  };
  const events = reconnecting({
    open,
    signal,
    parser: new EventParser(),
    onLost: ({ error, failures }) => {
      if (error !== null && (!wasConnected || error instanceof EventsRefused)) throw error;
      if (failures === 1) lost?.(error === null ? 'the connection has ended' : messageOf(error));
    },
  });
  for await (const event of events) {
    yield event;
    if (event.name === 'end') return;
  }
}
