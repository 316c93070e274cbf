// Conditions of the settings.
import { expect } from 'chai';
import { settingsConditions } from '../../src/control/settings-conditions.ts';

describe('settings conditions', () => {
  const directory = {
    knows: (id: string) => id === '1:0',
    bucketsOf: (workerId: number) => (workerId === 1 ? ['1:0'] : []),
  };
  const conditions = (workerId: number | null, buckets: readonly string[] | null) =>
    settingsConditions({ workerId, buckets }, directory).map(({ reason, message }) => `${reason}: ${message}`);

  it('are none where something is distributed', () => {
    expect(conditions(1, null)).to.deep.equal([]);
    expect(conditions(null, ['1:0'])).to.deep.equal([]);
  });

  it('report why nothing is distributed', () => {
    const [condition] = conditions(null, null);
    expect(condition).to.match(/^NoWorker: .* set-worker or set-buckets\.$/);
    expect(conditions(2, null)).to.deep.equal([
      'NoBucket: The directory assigns no bucket to worker 2, so no asset is served.',
    ]);
  });

  it('name unknown buckets, but not all of thousands', () => {
    expect(conditions(1, ['1:0', '1:1'])).to.deep.equal(['NotInDirectory: The directory does not contain 1:1.']);
    const many = Array.from({ length: 12 }, (_, index) => `2:${index}`);
    expect(conditions(1, many)[0]).to.match(/2:9 and 2 more\.$/);
  });

  it('report nothing that the directory has not answered yet', () => {
    const unread = { knows: () => null, bucketsOf: () => null };
    for (const settings of [
      { workerId: 2, buckets: null },
      { workerId: 1, buckets: ['9:9'] },
    ]) {
      expect(settingsConditions(settings, unread)).to.deep.equal([]);
    }
  });
});
