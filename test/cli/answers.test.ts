// How conditions look in a terminal.
import { expect } from 'chai';
import { condition } from '../../src/base/condition.ts';
import { conditionLines } from '../../src/cli/answers.ts';

describe('the lines of a condition', () => {
  it('keep the lines of its message, the later ones indented', () => {
    const { message, ...rest } = condition('CatalogueInvalid', 'Invalid', 'a.yml:1: is wrong\na.yml:2: is wrong too');
    expect(conditionLines({ ...rest, message })).to.deep.equal([
      '! CatalogueInvalid: a.yml:1: is wrong',
      '  a.yml:2: is wrong too',
    ]);
    expect(conditionLines({ ...rest, message, since: 'noon' })).to.deep.equal([
      '! CatalogueInvalid (warning, since noon): a.yml:1: is wrong',
      '  a.yml:2: is wrong too',
      `  What to do: ${rest.remedy}`,
    ]);
  });
});
