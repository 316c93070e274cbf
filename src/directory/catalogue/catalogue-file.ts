// A catalogue on disk: one version of the file, its fingerprint, and its entries, in the format given by its name.
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { factsAtRest } from '../../base/content-hash.ts';
import type { CatalogueEntry } from './catalogue-entries.ts';
import { ndjsonEntries } from './ndjson-entries.ts';
import { realFolder } from './object-file.ts';
import { yamlEntries } from './yaml-reader.ts';

/** Identifies a version of the file without reading it. */
export interface CatalogueFacts {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

const factsOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): CatalogueFacts => ({ dev, ino, size, mtimeMs, ctimeMs });

/** Bytes per read: about as many as are parsed in a slice. */
const chunkBytes = 131_072;

const isNdjson = (file: string): boolean => /^\.(?:ndjson|jsonl)$/i.test(extname(file));

export class CatalogueFile {
  /** The real path of the catalogue's folder. */
  readonly root: string;
  readonly facts: CatalogueFacts;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #maxYamlBytes: number;

  private constructor(path: string, root: string, facts: CatalogueFacts, handle: FileHandle, maxYamlBytes: number) {
    this.#path = path;
    this.root = root;
    this.facts = facts;
    this.#handle = handle;
    this.#maxYamlBytes = maxYamlBytes;
  }

  /**
   * @param path absolute
   * @throws system errors; an error for anything but a regular file
   */
  static async open(path: string, maxYamlBytes: number): Promise<CatalogueFile> {
    const root = realFolder(dirname(path));
    // Without O_NONBLOCK, opening a named pipe blocks until a writer opens it.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw new Error('is not a regular file');
      // A change in the same tick of the clock would go unnoticed.
      await factsAtRest(handle.fd);
      return new CatalogueFile(path, root, factsOf(await handle.stat()), handle, maxYamlBytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Whether the file is still the version that was opened. */
  async isUnchanged(): Promise<boolean> {
    const now = factsOf(await this.#handle.stat());
    return JSON.stringify(now) === JSON.stringify(this.facts);
  }

  /** SHA-256 of the bytes, in hex. */
  async contentHash(): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.#chunks()) hash.update(chunk);
    return hash.digest('hex');
  }

  /**
   * Entries in the order of the file, errors among them.
   * @param onHash called at the end with what `contentHash` would return
   * @throws system errors, the reason of an aborted signal
   */
  async *entries(onHash: (hash: string) => void, signal: AbortSignal): AsyncGenerator<readonly CatalogueEntry[]> {
    const hash = createHash('sha256');
    const chunks = this.#chunks((chunk) => hash.update(chunk));
    if (isNdjson(this.#path)) yield* ndjsonEntries(chunks, basename(this.#path));
    else yield* this.#yamlEntries(chunks, signal);
    onHash(hash.digest('hex'));
  }

  async *#yamlEntries(chunks: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<readonly CatalogueEntry[]> {
    const name = basename(this.#path);
    if (this.facts.size > this.#maxYamlBytes) return yield [{ error: this.#tooLarge(name) }];
    const read: Buffer[] = [];
    for await (const chunk of chunks) read.push(Buffer.from(chunk));
    yield* yamlEntries(Buffer.concat(read), name, signal);
  }

  #tooLarge(name: string): string {
    return [
      `${name}: has ${this.facts.size} bytes, more than the ${this.#maxYamlBytes} that a YAML catalogue may have`,
      '(limits.yamlCatalogueBytes). Write it as NDJSON, one object per line, in a file that ends in .ndjson;',
      '«distributor-node catalogue FOLDER --format ndjson» writes one.',
    ].join(' ');
  }

  /** The bytes from the start; the buffer is reused for each chunk. */
  async *#chunks(onChunk: (chunk: Buffer) => void = () => {}): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let position = 0; ; ) {
      const { bytesRead } = await this.#handle.read(buffer, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      onChunk(chunk);
      yield chunk;
    }
  }
}
