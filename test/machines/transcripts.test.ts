// Whole printed runs of the node machine, replayed. `REWRITE=1 npm run mocha` rewrites them: read the diff.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { replay } from '../support/transcript.ts';

const folder = new URL('../../../test/transcripts/', import.meta.url);

describe('transcripts of the node machine', () => {
  for (const name of readdirSync(folder)) {
    it(name.replaceAll('-', ' ').replace('.txt', ''), () => {
      const file = new URL(name, folder);
      const is = readFileSync(file, 'utf8');
      const shouldBe = replay(is);
      if (process.env.REWRITE) writeFileSync(file, shouldBe);
      else expect(is).to.equal(shouldBe);
    });
  }
});
