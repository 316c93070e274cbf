// A temporary folder with files that represent data objects, as the directory would describe them.
import { mkdtemp, realpath, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataObject, factsOf } from '../../machines/answer.ts';

export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await realpath(await mkdtemp(join(tmpdir(), 'distributor-node-'))));
  }

  /** Write a file (a number: so many zero bytes) and describe it: verified, in bucket 0:0, unless `facts` say otherwise. */
  async object(id: string, content: string | Buffer | number, facts: Partial<DataObject> = {}): Promise<DataObject> {
    const path = join(this.path, id);
    await writeFile(path, typeof content === 'number' ? '' : content);
    if (typeof content === 'number') await truncate(path, content);
    return { ...(await this.describe(id)), ...facts };
  }

  /** A file that is there already: verified, in bucket 0:0. */
  async describe(id: string): Promise<DataObject> {
    const path = join(this.path, id);
    const verified = factsOf(await stat(path));
    const object = { id, path, size: verified.size, type: 'text/plain', hash: `W1hash${id}`, verified, accepted: true };
    return { ...object, buckets: ['0:0'] };
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}
