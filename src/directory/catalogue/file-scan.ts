// Finds files of the catalogue that were added, removed or changed: a number of files per round, in the order of the index.
import type { IndexTransaction, IndexWriter } from '../../store/object-index.ts';
import { hashedMark } from './catalogue-marks.ts';
import { type IndexWrites, NotWritten } from './index-writes.ts';
import { type Located, locateFile } from './object-file.ts';
import { isAsLocated, isCatalogueRow, lacksHash, relocated, wasUnreadable } from './object-row.ts';
import { Slices } from './slices.ts';

export interface FileScanPorts {
  readonly index: IndexWriter;
  readonly writes: IndexWrites;
  /** The real path of the catalogue's folder. */
  readonly root: () => string;
  /** Called with the id of an object whose file must be read. */
  readonly toRead: (objectId: string) => void;
  /** Rows have changed. */
  readonly onWritten: () => void;
}

/** Files checked per round; a larger catalogue takes several rounds. */
const filesPerRound = 500;

interface Change {
  readonly id: string;
  /** As stated in the catalogue. */
  readonly name: string;
  readonly located: Located;
}

export class FileScan {
  readonly #ports: FileScanPorts;
  #after = '';
  #round: Promise<void> = Promise.resolve();
  #isScanning = false;
  #isHeld = false;

  constructor(ports: FileScanPorts) {
    this.#ports = ports;
  }

  /** Checks the next files, unless a round is in progress. */
  round(): void {
    if (this.#isScanning || this.#isHeld) return;
    this.#isScanning = true;
    this.#round = this.#checkNext().finally(() => {
      this.#isScanning = false;
    });
  }

  /** Checks the file of one object now. */
  check(objectId: string): void {
    if (this.#isHeld) return;
    const change = this.#check(objectId);
    if (change !== null) this.#write([change]);
  }

  /** Writes nothing while an import copies rows of this version. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** Resolves when all writes have ended. */
  async stop(): Promise<void> {
    this.#isHeld = true;
    await this.#round;
  }

  async #checkNext(): Promise<void> {
    const ids = this.#nextIds();
    const slices = new Slices();
    const changes: Change[] = [];
    for (const id of ids) {
      if (slices.isOver) await slices.next();
      if (this.#isHeld) return;
      const change = this.#check(id);
      if (change !== null) changes.push(change);
    }
    if (this.#write(changes)) this.#after = ids.length < filesPerRound ? '' : (ids.at(-1) ?? '');
  }

  #nextIds(): string[] {
    const { index } = this.#ports;
    const ids: string[] = [];
    index.refresh();
    for (const id of index.objectIds(this.#after)) {
      ids.push(id);
      if (ids.length === filesPerRound) break;
    }
    return ids;
  }

  /** @returns null: there is no such object, or its file has not changed */
  #check(id: string): Change | null {
    const { index, root, toRead } = this.#ports;
    index.refresh();
    const row = index.object(id);
    if (!isCatalogueRow(row)) return null;
    const { name } = row.file;
    const located = locateFile(root(), name);
    if (!isAsLocated(row, located)) return { id, name, located };
    if (wasUnreadable(row)) toRead(id);
    return null;
  }

  /** @returns false: try again */
  #write(changes: readonly Change[]): boolean {
    if (changes.length === 0) return true;
    const { index, writes, toRead, onWritten } = this.#ports;
    try {
      const toBeRead = writes.attempt('files', () =>
        index.transact((tx) => changes.filter((change) => write(tx, change))),
      );
      writes.succeeded('files');
      for (const { id } of toBeRead) toRead(id);
      onWritten();
      return true;
    } catch (error) {
      if (error instanceof NotWritten) return false;
      throw error;
    }
  }
}

/** @returns whether the file must be read */
function write(tx: IndexTransaction, { id, name, located }: Change): boolean {
  const row = tx.object(id);
  if (!isCatalogueRow(row) || row.file.name !== name) return false;
  const next = relocated(row, located);
  tx.putObject(id, next);
  if (!lacksHash(next)) return false;
  tx.putMark(hashedMark, undefined);
  return true;
}
