// Equality of parsed JSON, also of what is made to overflow a stack or to look like something else.
import { expect } from 'chai';
import fc from 'fast-check';
import { sameJson } from '../../../src/operator/auth/same-json.ts';

describe('same JSON', () => {
  it('is the same after serialization, in any order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy: unknown = JSON.parse(JSON.stringify(value), (_key, inner) =>
          typeof inner === 'object' && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).reverse())
            : inner,
        );
        return sameJson(JSON.parse(JSON.stringify(value)), copy);
      }),
    );
  });

  it('differs if any member differs', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !sameJson(value, [value]) && !sameJson({ value }, value)));
    const pairs = [
      ['[]', '{}'],
      ['{"0":1}', '[1]'],
      ['{"__proto__":{}}', '{}'],
      ['{"toString":1}', '{}'],
      ['null', '{}'],
      ['"1"', '1'],
      ['{"a":1}', '{"b":1}'],
    ];
    for (const [one = '', other = ''] of pairs) {
      expect(sameJson(JSON.parse(one), JSON.parse(other)), `${one} ${other}`).to.equal(false);
    }
  });

  it('compares values too deep for recursion', () => {
    const deep = (inner: string): unknown => JSON.parse('['.repeat(200_000) + inner + ']'.repeat(200_000));
    expect(sameJson(deep('1'), deep('1'))).to.equal(true);
    expect(sameJson(deep('1'), deep('2'))).to.equal(false);
  });
});
