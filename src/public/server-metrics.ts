// Request metrics of one server process: responses by kind, and latencies. Allocates nothing per request.
import { answerWords } from '../../machines/answer.ts';
import { Histogram, latencyBoundsSec, type ServerCounters } from '../metrics/counters.ts';
import type { CacheWord, RequestContext } from './request-context.ts';

const cacheWords: readonly CacheWord[] = [...answerWords, 'none'];

/** Greater than every status: the key of a word and a status is `index of the word × this + status`. */
const statuses = 1000;

export class RequestMetrics {
  readonly #counts = new Map<number, number>();
  readonly #firstByte = new Histogram(latencyBoundsSec);
  readonly #duration = new Histogram(latencyBoundsSec);
  #broken = 0;

  /** Call it when the response has been sent, or its connection has closed. */
  add({ res, cache, startedAt, answeredAt }: RequestContext): void {
    this.#duration.add((performance.now() - startedAt) / 1000);
    if (!res.writableFinished) this.#broken += 1;
    // The client closed the connection before a response began.
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
