// The documentation says what the code says now: generated parts are fresh, links lead somewhere, named files exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';
import { docFiles, filledIn } from './support/docs/fresh.ts';

const root = new URL('../../', import.meta.url);
const exists = (path: string): boolean => existsSync(new URL(path, root));
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Every page that a reader of the project may come across. */
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'machines/README.md', 'examples/monitoring/README.md'],
  ...readdirSync(new URL('docs', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const matchesIn = (page: string, pattern: RegExp): string[] =>
  [...textOf(page).matchAll(pattern)].map((match) => match[1] ?? match[2] ?? '');

/** As a page is shown, a heading can be linked to by its words in lower case, joined by hyphens. */
const anchorsOf = (page: string): string[] =>
  matchesIn(page, /^#+ (.*)$/gm).map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

function leadsNowhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : posix.join(posix.dirname(page), path);
  if (!exists(target)) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

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

  it('refuses an unknown piece and an open marker', () => {
    expect(() => filledIn('page', '<!-- generated:two -->\n<!-- /generated -->', {})).to.throw('unknown piece "two"');
    expect(() => filledIn('page', '<!-- generated:two -->\n', {})).to.throw('not closed');
  });

  it('has a README of less than 200 lines', () => {
    expect(textOf('README.md').split('\n').length).to.be.below(200);
  });

  it('links to files and headings that exist', () => {
    const dead = pages.flatMap((page) =>
      matchesIn(page, /\]\((?!https?:)([^)\s]+)\)|src="(?!https?:)([^"]+)"/g)
        .filter((link) => leadsNowhere(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(dead).to.deep.equal([]);
  });

  it('names files of the project by the paths they have', () => {
    const missing = pages.flatMap((page) =>
      matchesIn(page, /`((?:machines|src|test|docs|examples|\.ci)\/[^`\s*…]*)`/g)
        .filter((path) => !exists(path))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).to.deep.equal([]);
  });
});
