// The documents that the public API answers with, by their names in the peer's description: what monitors read, and errors.
import { bucketId } from './body-schemas.ts';
import { count, list, object, type Schema, text } from './schema.ts';

export const publicSchemas: Readonly<Record<string, Schema>> = {
  ErrorResponse: object({ 'type?': text('one word for programs'), message: text('for a person') }),
  StatusResponse: object({
    id: text(),
    version: text(),
    'workerId?': count('left out where none is set'),
    objectsInCache: count(),
    storageLimit: count('bytes; 0: none'),
    storageUsed: count('bytes'),
    uptime: count('seconds'),
    downloadsInProgress: count(),
    'nodeEnv?': text('`NODE_ENV`, where it is set'),
    queryNodeStatus: object({
      url: text('empty where there is none'),
      chainHead: count(),
      blocksProcessed: count(),
      packageVersion: text('empty where it is not known'),
    }),
  }),
  BucketsResponse: {
    oneOf: [
      object({ bucketIds: list(bucketId, 'those distributed') }),
      object({ allByWorkerId: count('all buckets of this worker') }),
    ],
  },
};
