// No regular expression of the node takes more than linear time, whatever text it is given.
import { readdirSync, readFileSync } from 'node:fs';
import { parse, tokTypes } from 'acorn';
import { expect } from 'chai';
import { requestIdPattern } from '../src/base/request-id.ts';
import { complexitiesOf, type Expression } from './support/complexity.ts';

/** The compiled modules: any JavaScript parser finds the regular expressions in them. */
const root = new URL('../', import.meta.url);

/** It reads what our own diagram renderer has drawn of our own machine, and nothing else. */
const leftOut = 'src/base/diagram-svg.js';

function expressionsOf(file: string): (Expression & { readonly file: string })[] {
  const expressions: (Expression & { readonly file: string })[] = [];
  parse(readFileSync(new URL(file, root), 'utf8'), {
    ecmaVersion: 'latest',
    sourceType: 'module',
    onToken: ({ type, ...token }) => {
      if (type !== tokTypes.regexp || !('value' in token)) return;
      const { pattern, flags } = token.value as { pattern: string; flags: string };
      expressions.push({ file, source: pattern, flags });
    },
  });
  return expressions;
}

const modulesIn = (folder: string): string[] =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => `${folder}/${name}`);

describe('regular expressions', () => {
  it('are classified: linear ones and others', async () => {
    const sources = ['eyJ[\\w-]{5,}\\.', '^(a+)+$', '^\\/[!-~]*$'];
    const complexities = await complexitiesOf(sources.map((source) => ({ source, flags: 'g' })));
    expect(complexities).to.deep.equal(['2nd degree polynomial', 'exponential', 'linear']);
  }).timeout(60_000);

  it('take linear time, every one of them', async () => {
    const files = [...modulesIn('src'), ...modulesIn('machines')].filter((file) => file !== leftOut);
    const built = { file: 'src/base/request-id.js', source: requestIdPattern, flags: '' };
    const expressions = [...files.flatMap(expressionsOf), built];
    expect(expressions.length).to.be.greaterThan(50);
    const complexities = await complexitiesOf(expressions);
    const found = expressions.flatMap(({ file, source }, at) =>
      complexities[at] === 'linear' ? [] : [`${file}: ${complexities[at]}: ${source}`],
    );
    expect(found).to.deep.equal([]);
  }).timeout(300_000);
});
