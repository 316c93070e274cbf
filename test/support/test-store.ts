// An index on disk and an answerer of look-ups, as a content process has them, in the process of a test.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataObject } from '../../machines/answer.ts';
import type { LookUp } from '../../src/ipc/look-up.ts';
import { type LookUpServer, serveLookUps } from '../../src/ipc/look-up-channel.ts';
import { lookUpSocketPath } from '../../src/ipc/look-up-socket.ts';
import type { ServerSetup } from '../../src/ipc/messages.ts';
import { openStore } from '../../src/store/index-folder.ts';
import type { IndexSource, IndexWriter } from '../../src/store/object-index.ts';
import { BringingTwin } from './bringing-twin.ts';
import { publishObjects, putObjects } from './publish-objects.ts';

const source: IndexSource = { kind: 'catalogue', name: '/catalogue.yml' };

export class TestStore {
  readonly index: IndexWriter;
  /** What server processes need to know of it. */
  readonly setup: Pick<ServerSetup, 'stateDirectory' | 'lookUpSocket' | 'lookUpTimeoutMs' | 'indexSource'>;
  /** Ids of the reported bad copies. */
  readonly badCopies: string[];
  /** What a look-up answers, as a test wants it. */
  lookUp: (id: string) => Promise<LookUp> = async () => ({ result: 'undecided' });
  #server: LookUpServer | null = null;

  private constructor(index: IndexWriter, stateDirectory: string, badCopies: string[]) {
    this.index = index;
    this.badCopies = badCopies;
    const lookUpSocket = lookUpSocketPath(stateDirectory);
    this.setup = { stateDirectory, lookUpSocket, lookUpTimeoutMs: 60_000, indexSource: source };
  }

  /** @param folder its state directory is in it */
  static async open(folder: string): Promise<TestStore> {
    const stateDirectory = join(folder, 'state');
    await mkdir(stateDirectory, { recursive: true });
    const { index } = openStore(stateDirectory, source, 2 ** 30);
    const store = new TestStore(index, stateDirectory, []);
    const lookUps = {
      lookUp: (id: string) => store.lookUp(id),
      reportBadCopy: (id: string) => void store.badCopies.push(id),
      reportDamage: () => {},
    };
    store.#server = await serveLookUps(store.setup.lookUpSocket, lookUps, new BringingTwin());
    return store;
  }

  /** These are all the objects there are, in buckets of worker 0. */
  publish(...objects: DataObject[]): void {
    publishObjects(this.index, objects);
  }

  /** Adds objects, or replaces them. */
  put(...objects: DataObject[]): void {
    putObjects(this.index, objects);
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.index.close();
  }
}
