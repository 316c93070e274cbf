// The table of conditions: what a condition made from it says, and what the compiler refuses.
import { expect } from 'chai';
import { condition, conditionTable } from '../../src/base/condition.ts';

describe('condition', () => {
  it('has the severity and the remedy of its row', () => {
    const { severity, remedy } = conditionTable.CatalogueInvalid;
    expect(condition('CatalogueInvalid', 'Unreadable', 'Still being read.')).to.deep.equal({
      ...{ type: 'CatalogueInvalid', reason: 'Unreadable', severity, message: 'Still being read.', remedy },
    });
  });

  it('can be raised only with a type and a reason of the table: the compiler checks these lines', () => {
    // @ts-expect-error no such type
    expect(() => condition('DiskOnFire', 'Heat', '')).to.throw(TypeError);
    // @ts-expect-error no such reason for this type
    expect(condition('StateNotSaved', 'Heat', '').type).to.equal('StateNotSaved');
    expect(condition('WorkerCrashed', 'SIGSEGV', '').reason).to.equal('SIGSEGV');
  });
});
