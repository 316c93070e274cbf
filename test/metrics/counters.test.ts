// Histograms and counters, and their sums over processes.
import { expect } from 'chai';
import { addServerCounters, Histogram, noServerCounters } from '../../src/metrics/counters.ts';

describe('counters', () => {
  it('count each value in the first bucket whose bound it does not exceed', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0, 1, 1.5, 2, 3, 100]) histogram.add(value);
    expect(histogram.reading).to.deep.equal({ counts: [2, 2, 2], sum: 107.5 });
  });

  it('add up, including keys that only one side has', () => {
    const a = { ...noServerCounters, answers: { 'hit 200': 1, 'hit 304': 2 }, broken: 1, cpuSec: 0.5 };
    const b = { ...noServerCounters, answers: { 'hit 200': 4, 'none 404': 8 }, broken: 2, cpuSec: 1 };
    const sum = addServerCounters(a, b);
    expect(sum.answers).to.deep.equal({ 'hit 200': 5, 'hit 304': 2, 'none 404': 8 });
    expect([sum.broken, sum.cpuSec]).to.deep.equal([3, 1.5]);
    expect(addServerCounters(sum, noServerCounters)).to.deep.equal(sum);
  });
});
