// One download in progress: runs the download machine, with its effects on sources, the file and the index.
import { type Actor, createActor, fromPromise } from 'xstate';
import {
  type DownloadFailure,
  DownloadFault,
  downloadMachine,
  type Placed,
  type Probed,
} from '../../machines/download.ts';
import { messageOf } from '../base/errors.ts';
import { signatureBytes, typeOfBytes } from '../base/media-type.ts';
import type { Arrival } from '../ipc/arrival.ts';
import type { DownloadStage } from '../ipc/content-messages.ts';
import type { Fetched, Sources } from '../sources/source.ts';
import { copyPath, partPath } from '../store/copy-path.ts';
import { copyType } from '../store/data-object.ts';
import type { CacheSpace } from './cache-space.ts';
import { PartFile, removeFile } from './part-file.ts';
import type { Places } from './places.ts';
import type { WantedObject } from './wanted-object.ts';

export interface DownloadPorts {
  readonly sources: Pick<Sources, 'fetch' | 'reportBad'>;
  readonly places: Places;
  readonly space: CacheSpace;
  /** Absolute, with every link resolved. */
  readonly assets: string;
  readonly deadlineMs: number;
  readonly maxItemBytes: number;
  /** An error of the disk or of the index. */
  readonly onDiskError: (error: unknown) => void;
  readonly onDiskWritten: () => void;
  readonly log: (message: string) => void;
}

/** Followers get news after this many further bytes, or after this time. */
const bytesPerNews = 262_144;
const newsMs = 20;

export class DownloadRun {
  readonly wanted: WantedObject;
  readonly #ports: DownloadPorts;
  readonly #onNews: () => void;
  readonly #actor: Actor<typeof downloadMachine>;
  readonly #abort = new AbortController();
  #part: PartFile | null = null;
  #fetched: Fetched | null = null;
  #releasePlace = (): void => {};
  /** Settles with the effect in progress. */
  #effect: Promise<unknown> = Promise.resolve();
  /** Sources of the bytes in the file; null: an earlier download. */
  readonly #senders = new Set<string | null>();
  #size: number | null;
  #tag: string | null = null;
  #signature: string | null = null;
  #path: string;
  #isIndexed = false;
  #reportedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Requests for the object since the download began. */
  uses = 0;
  /** Resolves when the file is closed, and removed if it cannot be used. */
  readonly done: Promise<void>;

  /** @param onNews called when the stage or the arrival has changed */
  constructor(wanted: WantedObject, ports: DownloadPorts, onNews: () => void) {
    this.wanted = wanted;
    this.#ports = ports;
    this.#onNews = onNews;
    this.#size = wanted.source.size;
    this.#path = partPath(ports.assets, wanted.source.id);
    const machine = downloadMachine.provide({
      actors: {
        place: fromPromise(() => this.#track(this.#place())),
        probe: fromPromise(({ input: { from } }) => this.#track(this.#probe(from))),
        fetch: fromPromise(() => this.#track(this.#fetch())),
        verify: fromPromise(() => this.#track(this.#verify())),
      },
    });
    this.#actor = createActor(machine, { input: { deadlineMs: ports.deadlineMs } });
    this.done = new Promise((resolve) => {
      this.#actor.subscribe({ complete: () => void this.#settle().then(resolve) });
    });
    this.#actor.subscribe(() => this.#report());
  }

  start(): void {
    this.#actor.start();
  }

  /** Ends the download as `failed`, unless it has ended. */
  abort(): void {
    this.#actor.send({ type: 'abort' });
  }

  get stage(): DownloadStage {
    const { value } = this.#actor.getSnapshot();
    return (typeof value === 'string' ? value : value.underWay) as DownloadStage;
  }

  get failure(): DownloadFailure | null {
    return this.#actor.getSnapshot().context.failure;
  }

  get received(): number {
    return this.#part?.received ?? 0;
  }

  get size(): number | null {
    return this.#size;
  }

  /** Null: the size and the type are not known. */
  get arrival(): Arrival | null {
    if (this.#size === null || this.#signature === null) return null;
    const { stage } = this;
    const state = stage === 'here' || stage === 'failed' ? stage : 'arriving';
    const type = copyType(this.#signature, this.wanted.type);
    return { path: this.#path, size: this.#size, received: this.received, type, state };
  }

  /** The file is closed only after the last effect has finished with it. */
  #track<T>(effect: Promise<T>): Promise<T> {
    this.#effect = effect.catch(() => {});
    return effect;
  }

  async #place(): Promise<Placed> {
    const { places, space, assets } = this.#ports;
    const { source, hash } = this.wanted;
    const releasePlace = await places.take(this.#abort.signal);
    this.#releasePlace = releasePlace;
    if (source.size !== null) this.#reserve(source.size);
    await space.removal(source.id);
    const resume = hash === null ? 0 : (source.size ?? 0);
    const part = await this.#onDisk(() => PartFile.open(partPath(assets, source.id), resume, this.#abort.signal));
    this.#part = part;
    if (part.received > 0) this.#senders.add(null);
    await this.#recognize();
    return { received: part.received };
  }

  async #probe(from: number): Promise<Probed> {
    const { sources } = this.#ports;
    const { source, hash } = this.wanted;
    this.#fetched?.body.destroy();
    this.#fetched = null;
    if (this.#size !== null && from === this.#size && from > 0) return { size: this.#size };
    // Without a hash, only the validator of the origin shows that the rest belongs to the same version.
    if (from > 0 && hash === null && this.#tag === null) throw new Error('The rest might belong to another version');
    const fetched = await sources.fetch(source, { from, tag: from > 0 ? this.#tag : null, signal: this.#abort.signal });
    fetched.body.on('error', () => {});
    this.#fetched = fetched;
    const size = source.size ?? fetched.size;
    if (size === null || (from > 0 && size !== this.#size)) {
      fetched.body.destroy();
      throw new DownloadFault(size === null ? 'notKept' : 'noSource', from, 'The size is missing or has changed');
    }
    if (source.size === null) this.#reserve(size, fetched);
    this.#size = size;
    this.#tag = fetched.tag;
    this.#senders.add(fetched.source);
    return { size };
  }

  #reserve(size: number, fetched?: Fetched): void {
    const { space, maxItemBytes } = this.#ports;
    if (size <= maxItemBytes && space.reserve(this.wanted.source.id, size)) return;
    fetched?.body.destroy();
    throw new DownloadFault('notKept', 0, 'There is no room for the object');
  }

  async #fetch(): Promise<void> {
    const part = this.#openPart;
    const size = this.#size as number;
    const body = this.#fetched?.body ?? [];
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (part.received + chunk.length > size) throw this.#wrong(`sends more than ${size} bytes`);
        await this.#onDisk(() => this.#write(part, chunk));
        await this.#recognize();
        this.#reportSoon();
      }
    } catch (error) {
      if (error instanceof DownloadFault) throw error;
      throw new DownloadFault('noSource', part.received, messageOf(error), { cause: error });
    }
    if (part.received < size) throw new DownloadFault('noSource', part.received, 'The source ended early');
    await this.#recognize();
  }

  /** If the disk is full, evicts other copies and tries once more. */
  async #write(part: PartFile, chunk: Buffer): Promise<void> {
    const { space } = this.#ports;
    const before = part.received;
    try {
      await part.write(chunk);
    } catch (error) {
      const left = (this.#size as number) - before;
      if (!isDiskFull(error) || !(await space.makeRoom(left))) throw error;
      await part.write(chunk);
    }
  }

  async #verify(): Promise<void> {
    const { space, assets } = this.#ports;
    const { source, hash: stated } = this.wanted;
    const part = this.#openPart;
    const hash = await this.#onDisk(() => part.finish());
    if (stated !== null && hash !== stated) throw this.#wrong(`sent bytes with the hash ${hash}, not ${stated}`);
    await this.#onDisk(async () => {
      this.#path = copyPath(assets, source.id);
      const facts = await part.renameTo(this.#path);
      this.#abort.signal.throwIfAborted();
      const type = this.#signature as string;
      space.add(source.id, { ...facts, type, hash, originTag: stated === null ? this.#tag : null }, this.uses);
      this.#isIndexed = true;
    });
    this.#ports.onDiskWritten();
  }

  /** Blames the source if all bytes came from it. */
  #wrong(why: string): DownloadFault {
    const [sender] = this.#senders;
    if (this.#senders.size === 1 && typeof sender === 'string') this.#ports.sources.reportBad(sender, why);
    const { id } = this.wanted.source;
    this.#ports.log(`Object ${id} was not stored: ${[...this.#senders].join(', ')} ${why}`);
    return new DownloadFault('wrong', this.received, why);
  }

  async #recognize(): Promise<void> {
    const part = this.#openPart;
    if (this.#signature !== null || this.#size === null) return;
    if (part.received < Math.min(this.#size, signatureBytes)) return;
    this.#signature = await typeOfBytes(part.first);
    this.#report();
  }

  get #openPart(): PartFile {
    if (this.#part === null) throw new Error('The file of the download is not open');
    return this.#part;
  }

  /** A disk error ends the download: another source would not help. */
  async #onDisk<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      this.#ports.onDiskError(error);
      throw new DownloadFault('disk', this.received, messageOf(error), { cause: error });
    }
  }

  #reportSoon(): void {
    if (this.received - this.#reportedBytes >= bytesPerNews) this.#report();
    else this.#timer ??= setTimeout(() => this.#report(), newsMs);
  }

  #report(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#reportedBytes = this.received;
    this.#onNews();
  }

  async #settle(): Promise<void> {
    const { space } = this.#ports;
    const { id } = this.wanted.source;
    this.#abort.abort(new Error('The download has ended'));
    this.#fetched?.body.destroy();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#effect;
    // The effect may have opened another body.
    this.#fetched?.body.destroy();
    await this.#close();
    space.release(id);
    this.#releasePlace();
  }

  async #close(): Promise<void> {
    const part = this.#part;
    if (part === null) return;
    const { source, hash } = this.wanted;
    const isUsable = hash !== null && source.size !== null && part.received > 0;
    const isKept = isUsable && (this.failure === 'noSource' || this.failure === 'late' || this.failure === 'aborted');
    try {
      await part.close();
      if (!this.#isIndexed && !(isKept && this.#path === part.path)) await removeFile(this.#path);
    } catch (error) {
      this.#ports.onDiskError(error);
    }
  }
}

const isDiskFull = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
};
