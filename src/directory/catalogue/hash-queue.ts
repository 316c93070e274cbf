// Determines types and hashes of files in the background, one file at a time.
import { setImmediate } from 'node:timers/promises';
import { sameFacts } from '../../../machines/answer.ts';
import { messageOf } from '../../base/errors.ts';
import type { HashFile } from './content-hash.ts';
import { typeOfFile } from './media-type.ts';
import type { FoundFile } from './object-file.ts';
import { lacksSomething, lacksType, type ObjectRecord, type WorkedOut } from './object-record.ts';

export interface HashQueuePorts {
  readonly hashFile: HashFile;
  readonly recordOf: (objectId: string) => ObjectRecord | undefined;
  /** A type or hash was determined for this state of the object's file. */
  readonly found: (objectId: string, file: FoundFile, workedOut: WorkedOut) => void;
  /** The queue is empty. */
  readonly idle: () => void;
}

/** How long synchronous work may block timers and messages. */
const breathMs = 10;

export class HashQueue {
  readonly #ports: HashQueuePorts;
  /** First: files reported as bad copies. */
  readonly #urgent = new Queue();
  /** All types before the first hash: they are fast, and viewers see them. */
  readonly #untyped = new Queue();
  readonly #unhashed = new Queue();
  #abort = new AbortController();
  #running = false;
  #waiting: (() => void)[] = [];

  constructor(ports: HashQueuePorts) {
    this.#ports = ports;
  }

  /** Resolves when the queue is empty. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running) this.#waiting.push(resolve);
      else resolve();
    });
  }

  add(objectId: string): void {
    this.#untyped.add(objectId);
    this.#start();
  }

  /** Reads the file again even if its hash is known. */
  addUrgent(objectId: string): void {
    this.#urgent.add(objectId);
    this.#start();
  }

  /** Drops all work, including work in progress. */
  clear(): void {
    for (const queue of [this.#urgent, this.#untyped, this.#unhashed]) queue.clear();
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    await setImmediate();
    let breathAt = performance.now() + breathMs;
    for (let step = this.#next(); step !== null; step = this.#next()) {
      await step();
      if (performance.now() < breathAt) continue;
      await setImmediate();
      breathAt = performance.now() + breathMs;
    }
    this.#running = false;
    this.#ports.idle();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #next(): (() => Promise<void>) | null {
    const urgent = this.#urgent.take();
    if (urgent !== null) {
      return async () => {
        await this.#type(urgent);
        await this.#hash(urgent);
      };
    }
    const untyped = this.#untyped.take();
    if (untyped !== null) {
      this.#unhashed.add(untyped);
      return () => this.#type(untyped);
    }
    const unhashed = this.#unhashed.take();
    return unhashed === null ? null : () => this.#hashUnknown(unhashed);
  }

  async #type(objectId: string): Promise<void> {
    const record = this.#ports.recordOf(objectId);
    if (!record || !('found' in record.located) || !lacksType(record)) return;
    const { found } = record.located;
    const type = await typeOfFile(found.path);
    this.#ports.found(objectId, found, { ...record.workedOut, type });
  }

  async #hashUnknown(objectId: string): Promise<void> {
    const record = this.#ports.recordOf(objectId);
    if (record && record.workedOut.hash === null && lacksSomething(record)) await this.#hash(objectId);
  }

  async #hash(objectId: string): Promise<void> {
    const record = this.#ports.recordOf(objectId);
    if (!record || !('found' in record.located)) return;
    const { found } = record.located;
    const { signal } = this.#abort;
    try {
      const hashed = await this.#ports.hashFile(found.path, { signal });
      // The watch reports the new state of a file that changes during the read.
      if (hashed === null || !sameFacts(hashed.facts, found)) return;
      this.#ports.found(objectId, found, { ...record.workedOut, hash: hashed.hash, unreadable: null });
    } catch (error) {
      if (signal.aborted) return;
      this.#ports.found(objectId, found, { ...record.workedOut, unreadable: `cannot be read: ${messageOf(error)}` });
    }
  }
}

/** First in, first out, without duplicates. */
class Queue {
  readonly #ids = new Set<string>();
  // One iterator: a new one would step over all deleted entries.
  #cursor = this.#ids.values();

  add(id: string): void {
    this.#ids.add(id);
  }

  take(): string | null {
    let next = this.#cursor.next();
    if (next.done) {
      this.#cursor = this.#ids.values();
      next = this.#cursor.next();
    }
    if (next.done) return null;
    this.#ids.delete(next.value);
    return next.value;
  }

  clear(): void {
    this.#ids.clear();
  }
}
