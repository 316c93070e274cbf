// Which names of requests are taken over, and which are made here.
import { expect } from 'chai';
import { requestIdOf } from '../../src/base/request-id.ts';

describe('request-id', () => {
  it('is the one that was sent, where a log can hold it', () => {
    for (const id of ['a', 'A_b.c:d-9', 'x'.repeat(64)]) expect(requestIdOf(id)).to.equal(id);
  });

  it('is a new one where none was sent, or none that a log can hold', () => {
    const made = [undefined, '', 'x'.repeat(65), 'a b', 'a,b', 'a\n', 'ä', '"', ['a', 'b']].map(requestIdOf);
    for (const id of made) expect(id).to.match(/^[0-9a-f-]{36}$/);
    expect(new Set(made).size).to.equal(made.length);
  });
});
