// The config files and the environment merged key by key, with the source of each value.
import { InputError } from '../base/errors.ts';
import type { ConfigFile } from './config-file.ts';
import { type FromEnv, overridesFrom } from './environment.ts';

export type Tree = Readonly<Record<string, unknown>>;
type OpenTree = Record<string, unknown>;

export interface Origin {
  /** Higher ranks override lower ones; the environment is the highest. */
  readonly rank: number;
  /** Exactly one of the two is set. */
  readonly file?: ConfigFile;
  readonly variable?: string;
}

export interface Layers extends Pick<FromEnv, 'errors' | 'ignored'> {
  readonly tree: Tree;
  /** The source that set or unset a path or a section around it; for a section, a source that set something in it. */
  originOf(path: string): Origin | undefined;
  /** Sections and keys unset by the environment. */
  readonly unsets: ReadonlySet<string>;
}

/** @throws {InputError} if a file does not consist of keys */
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
  /** A section is merged into a section; any other value replaces what was there. */
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
  const { overrides, errors, ignored } = overridesFrom(env);
  for (const { name, path, value } of overrides) {
    set(path.split('.'), withoutNulls(value), { rank: files.length, variable: name });
    if (value === undefined) unsets.add(path);
  }
  return {
    tree,
    errors,
    ignored,
    unsets,
    originOf: (path) => {
      const all = [...origins];
      const setter = all.findLast(([name]) => isWithin(path, name)) ?? all.findLast(([name]) => isWithin(name, path));
      return setter?.[1];
    },
  };
}

/** Without a prototype, so that `__proto__` is refused like any other unknown key. */
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

/** A key without a value, as in `buckets:`, counts as absent. */
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
