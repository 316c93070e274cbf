// What clients asked and were answered, with the moments of both: the history that `explain` wants an order for.
import type { Command } from '../../machines/commands.ts';
import { NotReachable } from '../../src/base/errors.ts';
import type { Answer as HttpAnswer } from '../../src/client/http-client.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import type { Answer, Operation, SeenState, Sent } from './linearizable.ts';

export class History {
  readonly operations: Operation[] = [];

  /**
   * Ask, and remember it. A command whose answer was lost may have been carried out or not.
   * @returns null: lost with the connection
   * @throws {TimedOut} every command has to end
   */
  async ask(command: Operation['command'], send: () => Promise<HttpAnswer>, sent?: Sent): Promise<HttpAnswer | null> {
    const asked = { command, ...(sent && { sent }) };
    const invokedAt = performance.now();
    try {
      const answer = await send();
      this.operations.push({ ...asked, invokedAt, answeredAt: performance.now(), answer: answerOf(answer) });
      return answer;
    } catch (error) {
      if (!(error instanceof NotReachable)) throw error;
      // Who was refused a connection has asked nothing.
      if (!error.message.includes('ECONNREFUSED')) {
        this.operations.push({ ...asked, invokedAt, answeredAt: null, answer: null });
      }
      return null;
    }
  }

  get slowestMs(): number {
    return Math.max(0, ...this.operations.map(({ invokedAt, answeredAt }) => (answeredAt ?? invokedAt) - invokedAt));
  }

  count(status: number): number {
    return this.operations.filter(({ answer }) => answer?.status === status).length;
  }

  /** Around the first operation that an order does not explain: one line each, those that it does not are marked. */
  around(order: readonly number[]): string {
    const explained = new Set(order);
    const lines = [...this.operations.entries()]
      .sort(([, a], [, b]) => a.invokedAt - b.invokedAt)
      .map(([index, operation]) => `${explained.has(index) ? ' ' : '?'} ${lineOf(operation)}`);
    const first = lines.findIndex((line) => line.startsWith('?'));
    return lines.slice(Math.max(0, first - 15), first + 25).join('\n');
  }
}

const lineOf = ({ command, invokedAt, answeredAt, answer, sent }: Operation): string =>
  `${sent ? `${sent.connection}/${sent.place} ` : ''}${invokedAt.toFixed(1)}–${answeredAt?.toFixed(1) ?? 'lost'} ${JSON.stringify(command)} → ${JSON.stringify(answer)}`;

export function answerOf({ status, document }: HttpAnswer): Answer {
  if (status === 200) return { status, state: seenIn(document as StateDocument) };
  const { detail, state } = document as { readonly detail: string; readonly state?: SeenState };
  return { status, reason: detail, ...(state && { state }) };
}

const seenIn = ({ node, publicApi, settings, generation, desired }: StateDocument): SeenState => ({
  ...{ node, publicApi, settings, generation },
  wanted: desired.publicApi,
});

/** Of a command whose body is the rest of it. */
export const bodyOf = ({ type: _, ...body }: Command): object => body;
