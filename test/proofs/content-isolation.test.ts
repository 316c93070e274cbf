// The short form of the proof that the content process may fail; `npm run prove:content-isolation` is the long one.
import { expect } from 'chai';
import { proveContentIsolation } from './content-isolation.ts';
import { broken } from './proof.ts';

/** The other causes take long to show: they are in the long form. */
const causes = { stopped: 'hangs', squid: 'waits for a squid that does not answer' };

describe('Viewers and operators notice nothing', () => {
  for (const cause of ['stopped', 'squid'] as const) {
    it(`when the content process ${causes[cause]}`, async () => {
      const size = { clients: 3, downloads: 2, calls: 5, contentTimeoutMs: 3000 };
      const options = { ...size, causes: [cause], judged: false, waitsForCalm: false };
      expect(broken(await proveContentIsolation(options, () => {}))).to.deep.equal([]);
    }).timeout(180_000);
  }
});
