// The generated parts of the documentation are what the code says now.
import { expect } from 'chai';
import { docFiles, filledIn } from './docs/fresh.ts';

describe('the documentation', () => {
  it('is fresh', async () => {
    const stale = (await docFiles()).filter(({ is, shouldBe }) => is !== shouldBe);
    expect(
      stale.map(({ path }) => path),
      'run: npm run docs',
    ).to.deep.equal([]);
  });

  it('has its pieces between markers, and the rest left alone', () => {
    const page = 'one\n<!-- generated:two -->\nold\n<!-- /generated -->\nthree\n';
    const filled = 'one\n<!-- generated:two -->\n\nnew\n\n<!-- /generated -->\nthree\n';
    expect(filledIn('page', page, { two: () => 'new\n' })).to.equal(filled);
    expect(filledIn('page', filled, { two: () => 'new' })).to.equal(filled);
  });

  it('does not ask for a piece that nobody makes, nor leave a marker open', () => {
    expect(() => filledIn('page', '<!-- generated:two -->\n<!-- /generated -->', {})).to.throw('nobody makes "two"');
    expect(() => filledIn('page', '<!-- generated:two -->\n', {})).to.throw('not closed');
  });
});
