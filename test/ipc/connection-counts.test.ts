// The counts of connections: every process sees what each of them holds, and what a dead one held is gone.
import { fstatSync } from 'node:fs';
import { expect } from 'chai';
import { connectionCount, openConnectionCounts } from '../../src/ipc/connection-counts.ts';

describe('connection counts', () => {
  it('are the sum over all processes; a cleared process counts as zero', () => {
    const counts = openConnectionCounts(3);
    const [first, , third] = [0, 1, 2].map((process) => connectionCount(counts.descriptor, process));
    expect(first?.total()).to.equal(0);
    first?.set(256);
    third?.set(2);
    first?.set(255);
    expect([first?.total(), third?.total()]).to.deep.equal([257, 257]);
    counts.clear(0);
    expect(third?.total()).to.equal(2);
    counts.close();
  });

  it('are closed once, and cleared no more then', () => {
    const counts = openConnectionCounts(1);
    counts.close();
    const next = openConnectionCounts(1);
    counts.close();
    counts.clear(0);
    expect(fstatSync(next.descriptor).size).to.equal(4);
    next.close();
  });
});
