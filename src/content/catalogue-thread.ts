// The thread in which a catalogue is read and its files are examined: everything that would hold the control process up.
import { parentPort, workerData } from 'node:worker_threads';
import { CatalogueKeeper } from './catalogue-keeper.ts';
import type { CatalogueThreadData, ThreadNotice, ThreadOrder } from './catalogue-messages.ts';
import { openHasher } from './content-hash.ts';
import { Outbox } from './outbox.ts';

const port = parentPort;
if (!port) throw new Error('This module is the entry of a worker thread');

const post = (notice: ThreadNotice): void => port.postMessage(notice);
const outbox: Outbox = new Outbox(post, (id) => keeper.objectOf(id));
const keeper = new CatalogueKeeper(workerData as CatalogueThreadData, await openHasher(), {
  hold: () => outbox.clear(),
  replaced: (ids, bucketWorkers) => outbox.replace(ids, bucketWorkers),
  updated: (id) => outbox.update(id),
  troubles: (troubles) => post({ type: 'troubles', troubles }),
  log: (level, message) => post({ type: 'log', level, message }),
});

port.on('message', (order: ThreadOrder) => {
  switch (order.type) {
    case 'next':
      outbox.next();
      break;
    case 'doubt':
      keeper.doubt(order.objectId);
      break;
    case 'stop':
      outbox.clear();
      keeper.stop();
      port.close();
      break;
  }
});

await keeper.start();
