// The config files and the environment laid over each other, key by key, and what set each value.
import { InputError } from '../base/errors.ts';
import type { ConfigFile } from './config-file.ts';
import { type FromEnv, overridesFrom } from './environment.ts';

export type Tree = Readonly<Record<string, unknown>>;
type OpenTree = Record<string, unknown>;

export interface Origin {
  /** Higher ones go before lower ones; the environment is the highest. */
  readonly rank: number;
  /** Exactly one of the two is set. */
  readonly file?: ConfigFile;
  readonly variable?: string;
}

export interface Layers extends Pick<FromEnv, 'faults' | 'ignored'> {
  readonly tree: Tree;
  /** What set or unset a path, or the section around it; for a section without a value of its own, something in it. */
  originOf(path: string): Origin | undefined;
  /** Sections and keys that the environment unset. */
  readonly unsets: ReadonlySet<string>;
}

/** @throws {InputError} where a file holds something else than keys */
export function layersOf(files: readonly ConfigFile[], env: NodeJS.ProcessEnv): Layers {
  const tree = emptyTree();
  const origins = new Map<string, Origin>();
  const unsets = new Set<string>();

  const set = (path: readonly string[], value: unknown, origin: Origin): void => {
    const name = path.join('.');
    for (const other of [...origins.keys()]) if (isWithin(other, name)) origins.delete(other);
    origins.set(name, origin);
    unsets.delete(name);
    place(tree, path, value);
  };
  /** A section is laid over another one; everything else takes the place of what was there. */
  const lay = (path: readonly string[], value: unknown, origin: Origin): void => {
    const isSection = isTree(value);
    if (!isSection || !isTree(valueAt(tree, path.join('.')))) set(path, isSection ? emptyTree() : value, origin);
    for (const [key, inner] of isSection ? Object.entries(value) : []) lay([...path, key], inner, origin);
  };

  for (const [rank, file] of files.entries()) {
    const content = withoutNulls(file.content ?? {});
    if (!isTree(content)) {
      throw new InputError(`The config file ${file.path} must hold keys with values, like «id: my-node»`);
    }
    for (const [key, value] of Object.entries(content)) lay([key], value, { rank, file });
  }
  const { overrides, faults, ignored } = overridesFrom(env);
  for (const { name, path, value } of overrides) {
    set(path.split('.'), withoutNulls(value), { rank: files.length, variable: name });
    if (value === undefined) unsets.add(path);
  }
  return {
    tree,
    faults,
    ignored,
    unsets,
    originOf: (path) => {
      const all = [...origins];
      const setter = all.findLast(([name]) => isWithin(path, name)) ?? all.findLast(([name]) => isWithin(name, path));
      return setter?.[1];
    },
  };
}

/** Without a prototype: `__proto__` is a key like any other, and refused as such. */
const emptyTree = (): OpenTree => Object.create(null);

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isWithin = (path: string, section: string): boolean => path === section || path.startsWith(`${section}.`);

export function valueAt(tree: Tree, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, word) => (isTree(at) && Object.hasOwn(at, word) ? at[word] : undefined), tree);
}

/** `[['publicApi', 'port'], 3334]` → `{publicApi: {port: 3334}}` */
export function nested(entries: readonly (readonly [path: readonly string[], value: unknown])[]): Tree {
  const tree: OpenTree = {};
  for (const [path, value] of entries) place(tree, path, value);
  return tree;
}

/** A key without a value, as in `buckets:`, is a key that is not there. */
function withoutNulls(value: unknown): unknown {
  if (!isTree(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutNulls(inner)]));
}

function place(tree: OpenTree, words: readonly string[], value: unknown): void {
  const [first = '', ...rest] = words;
  if (rest.length === 0) {
    if (value === undefined) delete tree[first];
    else tree[first] = value;
    return;
  }
  const inner = tree[first];
  if (isTree(inner)) place(inner as OpenTree, rest, value);
  else if (value !== undefined) {
    const made = emptyTree();
    tree[first] = made;
    place(made, rest, value);
  }
}
