// The generated parts of the documentation: what the files contain, and what they should contain.
import { readFile } from 'node:fs/promises';
import { pages, pictures, pieces } from './pieces.ts';

export interface DocFile {
  /** Relative to the root of the project. */
  readonly path: string;
  readonly url: URL;
  /** Null: there is no such file. */
  readonly is: string | null;
  readonly shouldBe: string;
}

const root = new URL('../../../../', import.meta.url);

/** @throws if a page names an unknown piece, or a marker is not closed */
export async function docFiles(): Promise<DocFile[]> {
  const texts = pages.map(async (path) => docFile(path, (is) => filledIn(path, is ?? '')));
  const drawings = Object.entries(pictures).map(async ([path, draw]) => docFile(path, draw));
  return Promise.all([...texts, ...drawings]);
}

async function docFile(path: string, make: (is: string | null) => string | Promise<string>): Promise<DocFile> {
  const url = new URL(path, root);
  const is = await readFile(url, 'utf8').catch(() => null);
  return { path, url, is, shouldBe: await make(is) };
}

/** A page with every piece between its markers regenerated. */
export function filledIn(path: string, text: string, makers = pieces): string {
  const filled = text.replace(
    /(<!-- generated:([\w-]+) -->\n)(?:(?!<!-- generated:)[\s\S])*?(<!-- \/generated -->)/g,
    (_, opening: string, name: string, closing: string) => {
      const make = makers[name];
      if (!make) throw new Error(`${path}: unknown piece "${name}"; there are ${Object.keys(makers).join(', ')}`);
      return `${opening}\n${make().trim()}\n\n${closing}`;
    },
  );
  const [opened, closed] = [filled.match(/<!-- generated:/g), filled.match(/<!-- \/generated -->/g)];
  if (opened?.length !== closed?.length) throw new Error(`${path}: a marker is not closed`);
  return filled;
}
