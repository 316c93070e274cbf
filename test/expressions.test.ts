// No regular expression of the node takes more than linear time, whatever text it is given.
import { readdirSync, readFileSync } from 'node:fs';
import { parse, tokTypes } from 'acorn';
import { expect } from 'chai';
import { check } from 'recheck';
import { requestIdPattern } from '../src/base/request-id.ts';

interface Expression {
  readonly file: string;
  readonly source: string;
  readonly flags: string;
}

/** The compiled modules: any JavaScript parser finds the regular expressions in them. */
const root = new URL('../', import.meta.url);

/** It reads what our own diagram renderer has drawn of our own machine, and nothing else. */
const leftOut = 'src/base/diagram-svg.js';

function expressionsOf(file: string): Expression[] {
  const expressions: Expression[] = [];
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

/** Proved from the expression alone: nothing is timed. What cannot be proved, such as a look ahead, counts as bad. */
async function complexityOf({ source, flags }: Pick<Expression, 'source' | 'flags'>): Promise<string> {
  const found = await check(source, flags, { checker: 'automaton', timeout: 60_000 });
  if (found.status === 'safe') return 'linear';
  return found.status === 'vulnerable' ? found.complexity.summary : found.status;
}

describe('regular expressions', () => {
  it('are told apart: linear ones and others', async () => {
    expect(await complexityOf({ source: 'eyJ[\\w-]{5,}\\.', flags: 'g' })).to.equal('2nd degree polynomial');
    expect(await complexityOf({ source: '^\\/[!-~]*$', flags: '' })).to.equal('linear');
  }).timeout(60_000);

  it('take linear time, every one of them', async () => {
    const files = [...modulesIn('src'), ...modulesIn('machines')].filter((file) => file !== leftOut);
    const built = { file: 'src/base/request-id.js', source: requestIdPattern, flags: '' };
    const expressions = [...files.flatMap(expressionsOf), built];
    expect(expressions.length).to.be.greaterThan(50);
    const found: string[] = [];
    for (const expression of expressions) {
      const complexity = await complexityOf(expression);
      if (complexity !== 'linear') found.push(`${expression.file}: ${complexity}: ${expression.source}`);
    }
    expect(found).to.deep.equal([]);
  }).timeout(300_000);
});
