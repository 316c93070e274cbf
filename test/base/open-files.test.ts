// How many connections fit within the limit of open files.
import { expect } from 'chai';
import { affordableConnections, openFileLimit } from '../../src/base/open-files.ts';

describe('open files', () => {
  it('returns the limit of this process', () => {
    expect(openFileLimit()).to.be.greaterThan(100);
  });

  it('allows the wanted connections within the limit of files, and at least one', () => {
    expect(affordableConnections(100, 2, 1024)).to.equal(100);
    expect(affordableConnections(10_000, 2, 1024)).to.equal(488);
    expect(affordableConnections(0, 1, 1024)).to.equal(976);
    expect(affordableConnections(100, 2, 20)).to.equal(1);
    expect(affordableConnections(100, 2, null)).to.equal(100);
  });
});
