// Answers requests for objects: decides, then sends the local copy, or has the object fetched and sends it as it arrives.
import { type AnswerWord, answer, answers, type DataObject, isDescribed, judgeCopy } from '../../machines/answer.ts';
import type { Bringing, Passage } from '../ipc/arrival.ts';
import type { LookUp, LookUps } from '../ipc/look-up.ts';
import { beginAsset } from './asset-head.ts';
import { readRequest } from './conditional.ts';
import { deliver } from './deliver.ts';
import { ArrivalNews, followCopy } from './follow-copy.ts';
import type { HotCache } from './hot-cache.ts';
import type { ObjectView } from './object-view.ts';
import type { PassThrough } from './pass-through.ts';
import { refuse } from './reply.ts';
import type { RequestContext } from './request-context.ts';

/** A copy may arrive or be evicted between a decision and its response; the request is then decided again, up to this limit. */
const maxDecisions = 3;

export interface AssetParts {
  readonly objects: ObjectView;
  readonly lookUps: LookUps;
  readonly bringing: Bringing;
  readonly hotCache: HotCache;
  readonly passThrough: PassThrough;
  readonly reportBadCopy: (object: DataObject) => void;
  /** A request was answered from this copy. */
  readonly used: (objectId: string) => void;
  /** Counts bytes sent from copies and files. */
  readonly sent: (bytes: number) => void;
}

interface Decision {
  readonly word: AnswerWord;
  /** Null: there is no such object. */
  readonly object: DataObject | null;
}

/** The result of one decision: a response was sent, the copy is here, or the request is refused with this word. */
type Outcome = 'answered' | 'here' | AnswerWord;

export class Assets {
  readonly #parts: AssetParts;

  constructor(parts: AssetParts) {
    this.#parts = parts;
  }

  /** @throws {NodeJS.ErrnoException} for errors of the disk or the process */
  async answer(context: RequestContext, id: string): Promise<void> {
    let lookUp: LookUp | null = null;
    for (let decisions = 1; !context.res.destroyed; decisions += 1) {
      let decision = this.#decide(id, lookUp);
      if (decision.word === 'undecided') {
        lookUp = await this.#parts.lookUps.lookUp(id);
        await context.gate();
        decision = this.#decide(id, lookUp);
      }
      const outcome = await this.#respond(context, decision, () => this.#decide(id, lookUp));
      if (outcome === 'answered') return;
      if (outcome !== 'here') return refuseAsset(context, outcome);
      if (decisions === maxDecisions) return refuseAsset(context, 'undecided');
      // The copy named in the answer of the look-up was missing.
      lookUp = null;
    }
  }

  /** Decides by the current index and settings. @param lookUp used if the index does not decide */
  #decide(id: string, lookUp: LookUp | null): Decision {
    const { objects } = this.#parts;
    const found = objects.find(id);
    const { finding, covers } =
      found === 'undecided' && lookUp !== null ? objects.judge(lookUp) : { finding: found, covers: objects.covers };
    return { word: answer(finding, covers), object: typeof finding === 'string' ? null : finding };
  }

  async #respond(context: RequestContext, { word, object }: Decision, again: () => Decision): Promise<Outcome> {
    context.cache = word;
    if (object === null || (word !== 'hit' && word !== 'miss')) return word;
    if (word === 'hit') {
      const delivery = await deliver(context, object, this.#parts);
      if (delivery === 'answered') this.#count(context, object);
      if (delivery === 'answered' || !object.isCopy) return delivery;
    }
    if (context.req.method === 'HEAD' && isDescribed(object)) {
      beginAsset(context, 'miss', { size: object.size ?? 0, type: object.type, hash: null });
      return 'answered';
    }
    return this.#bring(context, object, again);
  }

  async #bring(context: RequestContext, object: DataObject, again: () => Decision): Promise<Outcome> {
    const { req, res } = context;
    const { id, size, type } = object;
    const reading = size === null ? null : readRequest(req.method ?? 'GET', req.headers, { size, etag: null });
    if (size !== null && reading !== null && !('length' in reading)) {
      // The response has no bytes of the object: 304, 412 or 416.
      beginAsset(context, 'miss', { size, type, hash: null });
      return 'answered';
    }
    const news = new ArrivalNews();
    const from = reading !== null && 'start' in reading ? reading.start : 0;
    const following = this.#parts.bringing.bring(id, { from, onArrival: news.take });
    res.once('close', following.stop);
    try {
      const brought = await following.brought;
      await context.gate();
      if (res.destroyed) return 'answered';
      // The settings or the directory may have changed. `hit`: the index does not know yet that the copy is missing.
      const { word } = again();
      if (word !== 'miss' && word !== 'hit') return word;
      if (brought.result === 'arriving') {
        news.begin(brought.arrival, brought.hasBegun ? 0 : brought.arrival.received);
        return await this.#follow(context, object, news, again);
      }
      if (brought.result !== 'pass') return brought.result;
      return await this.#pass(context, object, brought.passage);
    } finally {
      following.stop();
    }
  }

  async #follow(
    context: RequestContext,
    object: DataObject,
    news: ArrivalNews,
    again: () => Decision,
  ): Promise<Outcome> {
    const result = await followCopy(context, news, {
      isVerified: (file) => {
        const { word, object: now } = again();
        return word === 'hit' && now !== null && judgeCopy(now, file) === 'verified';
      },
      sent: this.#parts.sent,
    });
    if (result === 'answered') this.#count(context, object);
    return result === 'failed' ? 'unavailable' : result;
  }

  async #pass(context: RequestContext, object: DataObject, passage: Passage): Promise<Outcome> {
    const size = passage.size ?? object.size;
    const type = passage.type ?? object.type;
    return this.#parts.passThrough.answer(context, { ...passage, size, type });
  }

  /** Counts a use of a copy. The content process itself counts the request that started the download. */
  #count({ req, res, cache }: RequestContext, { id, isCopy }: DataObject): void {
    const isUse = cache === 'pending' || (cache === 'hit' && isCopy === true);
    if (isUse && req.method === 'GET' && res.statusCode < 300) this.#parts.used(id);
  }
}

function refuseAsset(context: RequestContext, word: AnswerWord): void {
  const { status, headers, message } = answers[word];
  context.cache = word;
  refuse(context, status, { type: word, message: message ?? '' }, headers);
}
