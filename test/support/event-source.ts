// A reader of a node's events, as a test wants it: what has come so far, and a wait for what is to come.
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { EventParser, type ReceivedEvent } from '../../src/client/event-parser.ts';
import { expectDescribedEvent } from './described.ts';
import { inTime } from './until.ts';

export interface SeenEvent {
  readonly name: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export class EventSource {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly events: SeenEvent[] = [];
  /** All that came, comments too. */
  text = '';
  /** Resolves when the stream is over, however it ended. */
  readonly over: Promise<void>;
  readonly #parser = new EventParser();
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  #watchers = new Set<() => void>();

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<EventSource> {
    const outgoing = request(`${url}/api/v1/events`, { headers, agent: false });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve).once('error', reject).end();
    });
    outgoing.on('error', () => {});
    return new EventSource(outgoing, response);
  }

  constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing;
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      this.text += piece;
      const news = this.#parser.push(piece).map(seen);
      for (const { name: event, id, data } of news) expectDescribedEvent({ event, id, data });
      this.events.push(...news);
      for (const watcher of [...this.#watchers]) watcher();
    });
    response.on('error', () => {});
    this.over = new Promise((resolve) => void response.once('close', resolve));
  }

  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  named(name: string): SeenEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /** The first event for which this holds, whether it has come or is still to come. */
  find(name: string, holds: (data: SeenEvent['data']) => boolean = () => true): Promise<SeenEvent> {
    const coming = new Promise<SeenEvent>((resolve) => {
      const look = () => {
        const found = this.named(name).find(({ data }) => holds(data));
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
    return inTime(`an event "${name}" with ${holds}`, coming, { seen: () => JSON.stringify(this.events.slice(-5)) });
  }

  /** Resolves when this much of the text is there. */
  says(part: string): Promise<void> {
    const coming = new Promise<void>((resolve) => {
      const look = () => {
        if (!this.text.includes(part)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
    return inTime(`the text ${JSON.stringify(part)}`, coming, { seen: () => this.text.slice(-500) });
  }

  /** Read no more. */
  pause(): void {
    this.#response.pause();
  }

  close(): void {
    this.#request.destroy();
  }
}

const seen = ({ name, data, lastEventId }: ReceivedEvent): SeenEvent => ({
  name,
  id: lastEventId,
  data: JSON.parse(data),
});
