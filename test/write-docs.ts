// Rewrites the generated parts of the documentation: `npm run docs`.
import { writeFile } from 'node:fs/promises';
import { docFiles } from './support/docs/fresh.ts';

for (const { path, url, is, shouldBe } of await docFiles()) {
  if (is === shouldBe) continue;
  await writeFile(url, shouldBe);
  console.log(`${path} rewritten`);
}
