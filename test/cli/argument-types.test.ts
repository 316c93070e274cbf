// Values on the command line, without a process.
import { expect } from 'chai';
import { parseDuration, parseTimeout } from '../../src/cli/argument-types.ts';

describe('duration', () => {
  it('needs a unit', () => {
    expect(['500ms', '30s', '15m', '12h', '7d'].map(parseDuration)).to.deep.equal([
      500, 30_000, 900_000, 43_200_000, 604_800_000,
    ]);
    for (const text of ['', '15', '0s', '-1s', '1.5h', '1 h', '1w', '99999999999999999d']) {
      expect(() => parseDuration(text), text).to.throw('with a unit');
    }
  });

  it('is at most what a timer can wait for, as a timeout', () => {
    expect(parseTimeout('24d')).to.equal(2_073_600_000);
    expect(() => parseTimeout('25d')).to.throw('24 days or less');
  });
});
