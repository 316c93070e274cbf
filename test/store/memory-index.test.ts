// The index in memory.
import { memoryIndex } from '../../src/store/memory-index.ts';
import { describesAnIndex } from './object-index.contract.ts';

describe('the index in memory', () => {
  describesAnIndex(async () => ({
    writer: memoryIndex({ kind: 'squid', name: 'http://squid' }),
    reopen: null,
  }));
});
