// Damages the file of an index, as a failing disk does.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { indexFolder } from '../../src/store/index-folder.ts';

/** Writes to the file in place, as its readers have it in memory. @throws {Error} if there is nothing to damage */
export function damageIndex(stateDirectory: string, change: (content: Buffer) => void): void {
  const path = join(indexFolder(stateDirectory), 'data.mdb');
  const content = readFileSync(path);
  const before = Buffer.from(content);
  change(content);
  if (content.equals(before)) throw new Error('Nothing was changed');
  const file = openSync(path, 'r+');
  for (let at = 0; at < content.length; at += 1) if (content[at] !== before[at]) writeSync(file, content, at, 1, at);
  closeSync(file);
}

/** Puts `other` in the place of every `text`, of the same length. */
export const replacing =
  (text: string, other: string) =>
  (content: Buffer): void => {
    for (let at = content.indexOf(text); at !== -1; at = content.indexOf(text, at + 1)) content.write(other, at);
  };
