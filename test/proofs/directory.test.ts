// The short form of the proof that a kill mixes no versions of the directory; `npm run prove:directory` is the long one.
import { expect } from 'chai';
import { type DirectoryKind, proveDirectory } from './directory.ts';
import { broken } from './proof.ts';

describe('A kill mixes no versions of the directory', () => {
  for (const kind of ['ndjson', 'squid'] satisfies DirectoryKind[]) {
    it(`of the content process or the node, while it follows a changing ${kind === 'squid' ? kind : `catalogue in ${kind}`}`, async () => {
      const seed = 1 + Math.floor(Math.random() * 1_000_000_000);
      const options = { rounds: 1, kinds: [kind], objects: 200, bigFiles: 1, seed, judged: false };
      expect(broken(await proveDirectory(options, () => {}))).to.deep.equal([]);
    }).timeout(180_000);
  }
});
