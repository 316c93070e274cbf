// How the time that regular expressions take grows with the text they are given.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Expression {
  readonly source: string;
  readonly flags: string;
}

/** For each `linear`, or how it is called otherwise. */
export async function complexitiesOf(expressions: readonly Expression[]): Promise<string[]> {
  const checker = fileURLToPath(new URL('./complexity-process.js', import.meta.url));
  // Its own code is not what the coverage is about, and would be most of it.
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const child = spawn(process.execPath, [checker], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(expressions));
  return JSON.parse(await text(child.stdout));
}
