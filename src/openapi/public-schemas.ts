// The documents that the public API answers with: what monitors read, and its errors.
import { count, list, object, type Schema, text } from './schema.ts';

export const publicSchemas: Readonly<Record<string, Schema>> = {
  PublicError: object({ 'type?': text('one word for programs'), message: text('for a person') }),
  PublicStatus: object({
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
  PublicBuckets: {
    oneOf: [
      object({ bucketIds: list(text(), 'those distributed') }),
      object({ allByWorkerId: count('all buckets of this worker') }),
    ],
  },
};
