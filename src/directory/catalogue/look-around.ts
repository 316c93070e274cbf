// Looks for files of the catalogue that were added, removed or changed, some per round, in the order of the index.
import type { IndexTransaction, IndexWriter } from '../../store/object-index.ts';
import { hashedMark } from './catalogue-marks.ts';
import { type IndexWrites, NotWritten } from './index-writes.ts';
import { type Located, locateFile } from './object-file.ts';
import { isAsLocated, isCatalogueRow, lacksHash, relocated, wasUnreadable } from './object-row.ts';
import { Slices } from './slices.ts';

export interface LookAroundPorts {
  readonly index: IndexWriter;
  readonly writes: IndexWrites;
  /** The real path of the catalogue's folder. */
  readonly root: () => string;
  /** The file of this object has to be read. */
  readonly toRead: (objectId: string) => void;
  /** Rows have changed. */
  readonly onWritten: () => void;
}

/** How many files are looked at per round; more objects take several rounds. */
const looksPerRound = 500;

interface Look {
  readonly id: string;
  /** As stated in the catalogue. */
  readonly name: string;
  readonly located: Located;
}

export class LookAround {
  readonly #ports: LookAroundPorts;
  #after = '';
  #round: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isHeld = false;

  constructor(ports: LookAroundPorts) {
    this.#ports = ports;
  }

  /** Looks at the next files. A round that is under way is not joined by another one. */
  round(): void {
    if (this.#isLooking || this.#isHeld) return;
    this.#isLooking = true;
    this.#round = this.#lookAtNext().finally(() => {
      this.#isLooking = false;
    });
  }

  /** Looks at the file of one object now. */
  lookAt(objectId: string): void {
    if (this.#isHeld) return;
    const look = this.#lookAt(objectId);
    if (look !== null) this.#write([look]);
  }

  /** Writes nothing while an import copies rows of this version. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#isHeld = true;
    await this.#round;
  }

  async #lookAtNext(): Promise<void> {
    const ids = this.#nextIds();
    const slices = new Slices();
    const news: Look[] = [];
    for (const id of ids) {
      if (slices.isOver) await slices.next();
      if (this.#isHeld) return;
      const look = this.#lookAt(id);
      if (look !== null) news.push(look);
    }
    if (this.#write(news)) this.#after = ids.length < looksPerRound ? '' : (ids.at(-1) ?? '');
  }

  #nextIds(): string[] {
    const { index } = this.#ports;
    const ids: string[] = [];
    index.refresh();
    for (const id of index.objectIds(this.#after)) {
      ids.push(id);
      if (ids.length === looksPerRound) break;
    }
    return ids;
  }

  /** @returns null: there is no such object, or nothing is new */
  #lookAt(id: string): Look | null {
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
  #write(looks: readonly Look[]): boolean {
    if (looks.length === 0) return true;
    const { index, writes, toRead, onWritten } = this.#ports;
    try {
      const toBeRead = writes.attempt('files', () => index.transact((tx) => looks.filter((look) => write(tx, look))));
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

/** @returns whether the file has to be read */
function write(tx: IndexTransaction, { id, name, located }: Look): boolean {
  const row = tx.object(id);
  if (!isCatalogueRow(row) || row.file.name !== name) return false;
  const next = relocated(row, located);
  tx.putObject(id, next);
  if (!lacksHash(next)) return false;
  tx.putMark(hashedMark, undefined);
  return true;
}
