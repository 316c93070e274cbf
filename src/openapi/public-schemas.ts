// The documents that the public API answers with: what monitors read, and its errors.
import { count, list, object, orNull, type Schema, text } from './schema.ts';

export const publicSchemas: Readonly<Record<string, Schema>> = {
  PublicError: object({ 'type?': text('one word for programs'), message: text('for a person') }),
  PublicStatus: object({
    id: text(),
    version: text(),
    workerId: orNull(count()),
    objectsInCache: count(),
    storageLimit: orNull(count(), 'bytes; null: none'),
    storageUsed: count('bytes'),
    uptime: count('seconds'),
    downloadsInProgress: count(),
    nodeEnv: text(),
    queryNodeStatus: object({
      url: orNull(text()),
      chainHead: count(),
      blocksProcessed: count(),
      packageVersion: orNull(text()),
    }),
  }),
  PublicBuckets: {
    oneOf: [
      object({ bucketIds: list(text(), 'those distributed') }),
      object({ allByWorkerId: count('all buckets of this worker') }),
    ],
  },
};
