// The machine decides everything: of `machines/`, the coverage report just written must have every line and every branch.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

type Report = Readonly<Record<string, Readonly<Record<'lines' | 'branches', { readonly pct: number }>>>>;

const root = new URL('../../', import.meta.url);
const report: Report = JSON.parse(readFileSync(new URL('coverage/coverage-summary.json', root), 'utf8'));
const files = Object.entries(report).flatMap(([path, covered]) => {
  const name = relative(fileURLToPath(root), path);
  return name.startsWith('machines/') ? [{ name, lines: covered.lines.pct, branches: covered.branches.pct }] : [];
});
const incomplete = files.filter(({ lines, branches }) => lines < 100 || branches < 100);
for (const { name, lines, branches } of incomplete)
  console.error(`${name}: ${lines} % of lines and ${branches} % of branches are covered; every one must be`);
if (files.length === 0) console.error('The coverage report has no file of machines/');
if (incomplete.length > 0 || files.length === 0) process.exitCode = 1;
