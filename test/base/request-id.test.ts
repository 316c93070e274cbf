// Which request ids are accepted from clients, and which are generated.
import { expect } from 'chai';
import { requestIdOf } from '../../src/base/request-id.ts';

describe('request-id', () => {
  it('is that of the client if it is valid', () => {
    for (const id of ['a', 'A_b.c:d-9', 'x'.repeat(64)]) expect(requestIdOf(id)).to.equal(id);
  });

  it('is generated if the client sent none or an invalid one', () => {
    const made = [undefined, '', 'x'.repeat(65), 'a b', 'a,b', 'a\n', 'ä', '"', ['a', 'b']].map(requestIdOf);
    for (const id of made) expect(id).to.match(/^[0-9a-f-]{36}$/);
    expect(new Set(made).size).to.equal(made.length);
  });
});
