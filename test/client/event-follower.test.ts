// Follows a node's events across broken connections.
import { expect } from 'chai';
import { NotReachable } from '../../src/base/errors.ts';
import { EventsRefused, followEvents } from '../../src/client/event-follower.ts';
import type { Answer } from '../../src/client/http-client.ts';

const headers = { 'content-type': 'text/event-stream' };

/** A connection that sends this text, then ends, breaks or stays open. */
const saying = (text: string, then: 'ends' | 'breaks' | 'stays' = 'ends', signal?: AbortSignal): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        if (then === 'ends') controller.close();
        signal?.addEventListener('abort', () => controller.error(signal.reason));
      },
      pull(controller) {
        if (then === 'breaks') controller.error(new Error('it broke'));
      },
    }),
    { headers },
  );

describe('following events', () => {
  it('resumes after a broken connection, and ends with the last event', async () => {
    const asked: string[] = [];
    const lost: string[] = [];
    const connections = [
      () => saying('retry: 1\n\nid: 7-5\nevent: step\ndata: {}\n\n', 'breaks'),
      () => Promise.reject(new NotReachable('connection refused')),
      () => new Response('{}', { status: 503 }),
      () => saying('id: 7-6\nevent: step\ndata: {}\n\nid: 7-7\n\n'),
      () => saying('id: 7-8\nevent: end\ndata: {}\n\nid: 7-9\nevent: step\ndata: {}\n\n', 'stays'),
    ];
    const open = async (lastEventId: string): Promise<Response> => {
      asked.push(lastEventId);
      const next = connections.shift();
      if (next === undefined) throw new Error('one connection too many');
      return next();
    };
    const seen: string[] = [];
    for await (const { name, lastEventId } of followEvents({ open, lost: (why) => void lost.push(why) })) {
      seen.push(`${name} ${lastEventId}`);
    }
    expect(seen).to.deep.equal(['step 7-5', 'step 7-6', 'end 7-8']);
    expect(asked).to.deep.equal(['', '7-5', '7-5', '7-5', '7-7']);
    expect(lost).to.deep.equal(['it broke', 'the connection has ended']);
  });

  const all = async (open: () => Promise<Response>, signal = new AbortController().signal): Promise<number> => {
    let count = 0;
    for await (const _ of followEvents({ open, signal })) count += 1;
    return count;
  };

  it('resumes before an event that was cut off after its id', async () => {
    const asked: string[] = [];
    const connections = [
      () => saying('retry: 1\nid: 7-5\ndata: 5\n\nid: 7-6\nda', 'breaks'),
      () => saying('id: 7-6\nevent: end\ndata: 6\n\n'),
    ];
    const open = async (lastEventId: string): Promise<Response> => {
      asked.push(lastEventId);
      return connections.shift()?.() ?? new Response('{}', { status: 400 });
    };
    const seen: string[] = [];
    for await (const { data } of followEvents({ open })) seen.push(data);
    expect(seen).to.deep.equal(['5', '6']);
    expect(asked).to.deep.equal(['', '7-5']);
  });

  it('fails if the first connection fails', async () => {
    const error = await all(() => Promise.reject(new NotReachable('connection refused'))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(NotReachable);
  });

  it('fails if it is refused, at first or later', async () => {
    const refusal = () => Response.json({ detail: 'no' }, { status: 401 });
    const later = [() => saying('retry: 1\ndata: 1\n\n'), refusal];
    for (const connections of [[refusal], later]) {
      const open = async () => (connections.shift() ?? refusal)();
      const error = await all(open).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(EventsRefused);
      const answer: Answer = { status: 401, document: { detail: 'no' } };
      expect((error as EventsRefused).answer).to.deep.equal(answer);
    }
  });

  it('treats an answer that is not an event stream as a refusal', async () => {
    const error = await all(async () => new Response('<html>')).catch((thrown: unknown) => thrown);
    expect((error as EventsRefused).answer).to.deep.equal({ status: 200, document: null });
  });

  it('ends on the signal, without an error', async () => {
    const enough = new AbortController();
    const open = async (_: string, signal: AbortSignal) => {
      setImmediate(() => enough.abort());
      return saying('data: 1\n\n', 'stays', signal);
    };
    let count = 0;
    for await (const _ of followEvents({ open, signal: enough.signal })) count += 1;
    expect(count).to.equal(1);
  });
});
