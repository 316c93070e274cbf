// Reads a YAML catalogue without blocking the event loop: a large one is parsed in a thread, whose memory ends with it.
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CatalogueEntry } from './catalogue-entries.ts';
import { yamlPieces } from './yaml-pieces.ts';
import type { YamlThreadData } from './yaml-thread.ts';

/** Parsed in about 20 ms, less than a thread takes to start. */
const maxBytesHere = 65_536;

/** Same extension as this file: `.js` when built, `.ts` from source. */
const thread = new URL(`./yaml-thread${extname(import.meta.url)}`, import.meta.url);

/**
 * @param name the catalogue's name, without its folder, for the messages
 * @throws the reason of an aborted signal; an error if the thread runs out of memory
 */
export async function* yamlEntries(
  bytes: Uint8Array,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<readonly CatalogueEntry[]> {
  if (bytes.length <= maxBytesHere) return yield* yamlPieces(bytes, name);
  const worker = new Worker(thread, { name: 'yaml', workerData: { bytes, name } satisfies YamlThreadData });
  // An error surfaces where the next piece is awaited.
  worker.on('error', () => {});
  try {
    for (;;) {
      worker.postMessage('next');
      const [entries] = (await once(worker, 'message', { signal })) as [readonly CatalogueEntry[] | null];
      if (entries === null) return;
      yield entries;
    }
  } finally {
    await worker.terminate();
  }
}
