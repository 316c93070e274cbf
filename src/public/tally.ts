// Counts the answers of one worker: by what they were, and how long they took. Nothing is allocated for a request.
import { answerWords } from '../../machines/answer.ts';
import { Histogram, latencyBoundsSec, type WorkerCounts } from '../figures.ts';
import type { CacheWord, Exchange } from './exchange.ts';

const cacheWords: readonly CacheWord[] = [...answerWords, 'absent', 'none'];

/** Above every status: a word and a status make one key, `place of the word × this + status`. */
const statuses = 1000;

export class Tally {
  readonly #counts = new Map<number, number>();
  readonly #firstByte = new Histogram(latencyBoundsSec);
  readonly #duration = new Histogram(latencyBoundsSec);
  #broken = 0;

  /** The answer has been sent, or its connection has gone. */
  add({ res, cache, startedAt, answeredAt }: Exchange): void {
    this.#duration.add((performance.now() - startedAt) / 1000);
    if (!res.writableFinished) this.#broken += 1;
    // Who went before there was an answer got none.
    if (answeredAt === 0) return;
    this.#firstByte.add((answeredAt - startedAt) / 1000);
    const key = cacheWords.indexOf(cache) * statuses + res.statusCode;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get reading(): Pick<WorkerCounts, 'answers' | 'broken' | 'firstByte' | 'duration'> {
    const answers: Record<string, number> = {};
    for (const [key, count] of this.#counts) {
      answers[`${cacheWords[Math.floor(key / statuses)]} ${key % statuses}`] = count;
    }
    const [firstByte, duration] = [this.#firstByte.reading, this.#duration.reading];
    return { answers, broken: this.#broken, firstByte, duration };
  }
}
