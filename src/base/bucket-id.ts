// The syntax of bucket ids, which depends on the directory.

/** In a catalogue: 1 to 128 characters, no control characters. */
export const isCatalogueBucketId = (text: string): boolean => /^\P{Cc}{1,128}$/u.test(text);

/** On the network: `{familyId}:{bucketIndex}`. */
export const isSquidBucketId = (text: string): boolean => /^[0-9]{1,20}:[0-9]{1,20}$/.test(text);
