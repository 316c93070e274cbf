// Schemas of the public API's documents and errors, with the names of the peer's description.
import { bucketId } from './body-schemas.ts';
import { count, list, object, type Schema, text } from './schema.ts';

export const publicSchemas: Readonly<Record<string, Schema>> = {
  ErrorResponse: object({ 'type?': text('for programs'), message: text('for people') }),
  StatusResponse: object({
    id: text(),
    version: text(),
    'workerId?': count('left out if unset'),
    objectsInCache: count('objects with a file or a copy here'),
    storageLimit: count('bytes for copies; 0: none'),
    storageUsed: count('bytes of files and copies'),
    uptime: count('seconds'),
    downloadsInProgress: count('objects that are being fetched'),
    'nodeEnv?': text('`NODE_ENV`, if set'),
    queryNodeStatus: object({
      url: text('empty: none'),
      chainHead: count('as of the last sync; 0: unknown'),
      blocksProcessed: count('as of the last sync; 0: unknown'),
      packageVersion: text('empty: unknown'),
    }),
  }),
  BucketsResponse: {
    oneOf: [
      object({ bucketIds: list(bucketId, 'ids of the distributed buckets') }),
      object({ allByWorkerId: count('the node distributes all buckets of this worker') }),
    ],
  },
};
