// What a file system answers that has no fsync for directories.
export const noDirectorySync = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('EINVAL: invalid argument, fsync'), { code: 'EINVAL' }));
