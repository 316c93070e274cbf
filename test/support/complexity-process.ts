// Says of each regular expression how its time grows with the text: a process of its own, for the checker is large.
import { text } from 'node:stream/consumers';
import { check } from 'recheck';
import type { Expression } from './complexity.ts';

const expressions: Expression[] = JSON.parse(await text(process.stdin));
const complexities: string[] = [];
for (const { source, flags } of expressions) {
  // Proved from the expression alone: nothing is timed. What cannot be proved, such as a look ahead, counts as bad.
  const found = await check(source, flags, { checker: 'automaton', timeout: 60_000 });
  if (found.status === 'safe') complexities.push('linear');
  else complexities.push(found.status === 'vulnerable' ? found.complexity.summary : found.status);
}
console.log(JSON.stringify(complexities));
// The checker's own helper would keep it alive.
process.exit();
