// Entry of the thread that reads a catalogue and hashes its files: work that would block the control process.
import { parentPort, workerData } from 'node:worker_threads';
import { BatchedSender } from './batched-sender.ts';
import { CatalogueKeeper } from './catalogue-keeper.ts';
import type { CatalogueThreadData, ThreadNotice, ThreadOrder } from './catalogue-messages.ts';
import { openHasher } from './content-hash.ts';

const port = parentPort;
if (!port) throw new Error('This module is the entry of a worker thread');

const post = (notice: ThreadNotice): void => port.postMessage(notice);
const sender: BatchedSender = new BatchedSender(post, (id) => keeper.objectOf(id));
const keeper = new CatalogueKeeper(workerData as CatalogueThreadData, await openHasher(), {
  hold: () => sender.clear(),
  replaced: (ids, bucketWorkers) => sender.replace(ids, bucketWorkers),
  updated: (id) => sender.update(id),
  conditions: (conditions) => post({ type: 'conditions', conditions }),
  log: (level, message) => post({ type: 'log', level, message }),
});

port.on('message', (order: ThreadOrder) => {
  switch (order.type) {
    case 'next':
      sender.next();
      break;
    case 'doubt':
      keeper.doubt(order.objectId);
      break;
    case 'stop':
      sender.clear();
      keeper.stop();
      port.close();
      break;
  }
});

await keeper.start();
