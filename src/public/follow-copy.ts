// Sends an object while its copy is arriving: only bytes that have been received, and the last byte only after verification.
import { type FileHandle, open } from 'node:fs/promises';
import { type AnswerWord, answerBrought, type FileFacts, factsOf } from '../../machines/answer.ts';
import { codeOf } from '../base/errors.ts';
import { listedFlags } from '../base/listed-file.ts';
import type { Arrival } from '../ipc/arrival.ts';
import { beginAsset, wantedPart } from './asset-head.ts';
import type { RequestContext } from './request-context.ts';
import { sendFile } from './send-file.ts';

/** The latest news of one copy, and a wait for the next. */
export class ArrivalNews {
  #latest: Arrival | null = null;
  #wasHere = 0;
  #wake = () => {};

  readonly take = (arrival: Arrival): void => {
    this.#latest = arrival;
    this.wake();
  };

  /**
   * Takes the first answer, which may be read after later news.
   * @param wasHere bytes that had been received when the object was requested
   */
  begin(arrival: Arrival, wasHere: number): void {
    this.#latest ??= arrival;
    this.#wasHere = wasHere;
  }

  get wasHere(): number {
    return this.#wasHere;
  }

  get latest(): Arrival {
    if (this.#latest === null) throw new Error('There is no news yet');
    return this.#latest;
  }

  /** Ends the wait of `changed`. */
  wake(): void {
    this.#wake();
  }

  /** Resolves with the next news, or when it is woken. For one caller at a time. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export interface FollowSupport {
  /** Whether the index has exactly this file as the verified copy: then a download that seemed to fail has succeeded. */
  readonly isVerified: (file: FileFacts) => boolean;
  readonly sent: (bytes: number) => void;
}

/** `here`: the copy is complete, and no response has been sent yet. `failed`: there is no copy, and no response either. */
export type FollowResult = 'answered' | 'here' | 'failed';

/** @throws {NodeJS.ErrnoException} for errors of the disk or the process (EMFILE, EIO) */
export async function followCopy(
  context: RequestContext,
  news: ArrivalNews,
  support: FollowSupport,
): Promise<FollowResult> {
  const { path, state } = news.latest;
  if (state === 'here') return 'here';
  let handle: FileHandle;
  try {
    handle = await open(path, listedFlags);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // The file was renamed because it is complete, or removed after a failure: the caller decides again.
    return news.latest.state === 'failed' ? 'failed' : 'here';
  }
  try {
    return await follow(context, news, handle, support);
  } finally {
    await handle.close();
  }
}

async function follow(
  context: RequestContext,
  news: ArrivalNews,
  handle: FileHandle,
  { isVerified, sent }: FollowSupport,
): Promise<FollowResult> {
  const { res } = context;
  const { size, type } = news.latest;
  const asset = { size, type, hash: null };
  res.once('close', () => news.wake());

  const isSound = async () => news.latest.state !== 'failed' || isVerified(factsOf(await handle.stat()));

  const readable = async (offset: number): Promise<number> => {
    for (;;) {
      const { received, state } = news.latest;
      if (state !== 'arriving') return (await isSound()) ? size : 0;
      const end = Math.min(received, size - 1);
      if (end > offset || res.destroyed) return end;
      await news.changed();
    }
  };

  const wanted = wantedPart(context, asset);
  const word: AnswerWord = answerBrought('arriving', wanted?.start ?? 0, news.wasHere);
  if (wanted !== null) {
    // The head waits for the first byte: until then, a failure can be answered with an error, and a complete copy with a hit.
    await readable(wanted.start);
    if (res.destroyed) return 'answered';
    if (news.latest.state !== 'arriving') return (await isSound()) ? 'here' : 'failed';
    await context.gate();
  }
  const part = beginAsset(context, word, asset);
  if (part !== null) await sendFile(context, handle, { ...part, readable, isSound, sent });
  return 'answered';
}
