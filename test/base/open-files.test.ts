// How many connections are taken on, given what the system allows.
import { expect } from 'chai';
import { affordableConnections, openFileLimit } from '../../src/base/open-files.ts';

describe('open files', () => {
  it('knows the limit of this process', () => {
    expect(openFileLimit()).to.be.greaterThan(100);
  });

  it('allows what was wanted as far as files suffice, and one connection in any case', () => {
    expect(affordableConnections(100, 2, 1024)).to.equal(100);
    expect(affordableConnections(10_000, 2, 1024)).to.equal(488);
    expect(affordableConnections(0, 1, 1024)).to.equal(976);
    expect(affordableConnections(100, 2, 20)).to.equal(1);
    expect(affordableConnections(100, 2, null)).to.equal(100);
  });
});
