// When deaths of processes make the index suspect.
import { expect } from 'chai';
import { IndexDeaths } from '../../src/supervisor/index-deaths.ts';

describe('deaths of processes that read the index', () => {
  let now: number;
  let deaths: IndexDeaths;

  beforeEach(() => {
    now = 0;
    deaths = new IndexDeaths(() => now);
  });

  /** Seconds from one death to the next. */
  const die = (reason: string, sec = 1): string | null => {
    now += sec * 1000;
    return deaths.note(reason);
  };

  it('make it suspect when three within a minute are by signals of a bad memory access', () => {
    expect([die('SIGABRT'), die('SIGSEGV')]).to.deep.equal([null, null]);
    expect(die('SIGBUS')).to.equal('Processes that read it died 3 times within 60 s, at last by SIGBUS');
  });

  it('do not by other signals and exits', () => {
    for (const reason of ['SIGKILL', 'ExitCode1', 'Unresponsive', 'SIGABRT', 'SIGABRT', 'SIGKILL'])
      expect(die(reason)).to.equal(null);
    expect(die('SIGABRT')).to.be.a('string');
  });

  it('do not when they are further apart', () => {
    for (let count = 0; count < 10; count += 1) expect(die('SIGABRT', 31)).to.equal(null);
  });

  it('make it suspect once in ten minutes at most', () => {
    let rebuilds = 0;
    // For an hour, a death every ten seconds.
    for (let count = 0; count < 360; count += 1) if (die('SIGSEGV', 10) !== null) rebuilds += 1;
    expect(rebuilds).to.equal(6);
  });
});
