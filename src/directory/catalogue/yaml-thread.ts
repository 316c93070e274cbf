// Entry point of a thread that parses one YAML catalogue and sends its entries in pieces, each on request.
import { parentPort, workerData } from 'node:worker_threads';
import { yamlPieces } from './yaml-pieces.ts';

/** The input of the thread. */
export interface YamlThreadData {
  readonly bytes: Uint8Array;
  readonly name: string;
}

const port = parentPort;
if (!port) throw new Error('This module is the entry of a worker thread');

const { bytes, name } = workerData as YamlThreadData;
const pieces = yamlPieces(bytes, name);

port.on('message', () => {
  const next = pieces.next();
  port.postMessage(next.done ? null : next.value);
});
