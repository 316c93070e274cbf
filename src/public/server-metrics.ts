// Counts the answers of one worker: by what they were, and how long they took. Nothing is allocated for a request.
import { answerWords } from '../../machines/answer.ts';
import { Histogram, latencyBoundsSec, type ServerCounters } from '../metrics/counters.ts';
import type { CacheWord, RequestContext } from './request-context.ts';

const cacheWords: readonly CacheWord[] = [...answerWords, 'absent', 'none'];

/** Above every status: a word and a status make one key, `place of the word × this + status`. */
const statuses = 1000;

export class RequestMetrics {
  readonly #counts = new Map<number, number>();
  readonly #firstByte = new Histogram(latencyBoundsSec);
  readonly #duration = new Histogram(latencyBoundsSec);
  #broken = 0;

  /** The answer has been sent, or its connection has gone. */
  add({ res, cache, startedAt, answeredAt }: RequestContext): void {
    this.#duration.add((performance.now() - startedAt) / 1000);
    if (!res.writableFinished) this.#broken += 1;
    // Who went before there was an answer got none.
    if (answeredAt === 0) return;
    this.#firstByte.add((answeredAt - startedAt) / 1000);
    const key = cacheWords.indexOf(cache) * statuses + res.statusCode;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get reading(): Pick<ServerCounters, 'answers' | 'broken' | 'firstByte' | 'duration'> {
    const answers: Record<string, number> = {};
    for (const [key, count] of this.#counts) {
      answers[`${cacheWords[Math.floor(key / statuses)]} ${key % statuses}`] = count;
    }
    const [firstByte, duration] = [this.#firstByte.reading, this.#duration.reading];
    return { answers, broken: this.#broken, firstByte, duration };
  }
}
