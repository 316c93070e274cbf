// Uses of copies: counted, reported together, and never more than a batch holds.
import { expect } from 'chai';
import { CopyUses } from '../../src/public/copy-uses.ts';

describe('the uses of copies', () => {
  let reports: Readonly<Record<string, number>>[];
  let uses: CopyUses;

  beforeEach(() => {
    reports = [];
    uses = new CopyUses((report) => void reports.push(report));
  });

  it('are reported once, by object', () => {
    for (const id of ['1', '2', '1']) uses.count(id);
    uses.flush();
    uses.flush();
    expect(reports).to.deep.equal([{ 1: 2, 2: 1 }]);
    uses.count('1');
    uses.flush();
    expect(reports[1]).to.deep.equal({ 1: 1 });
  });

  it('are counted for so many objects until they are reported', () => {
    for (let id = 0; id < 1001; id += 1) uses.count(String(id));
    uses.count('0');
    uses.flush();
    const [report = {}] = reports;
    expect([Object.keys(report).length, report[0], report[1000]]).to.deep.equal([1000, 2, undefined]);
  });

  it('are reported by themselves after a while', async () => {
    const reported = new Promise<Readonly<Record<string, number>>>((resolve) => {
      uses = new CopyUses(resolve, 20);
    });
    uses.count('7');
    // The timer keeps no process alive: something else does here.
    const alive = setInterval(() => {}, 1000);
    expect(await reported).to.deep.equal({ 7: 1 });
    clearInterval(alive);
  });
});
