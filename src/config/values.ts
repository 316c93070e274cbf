// File and environment laid over each other and checked: one value per key, and where it came from.
import { dirname, resolve } from 'node:path';
import { closestMatch } from 'leven';
import { InputError } from '../errors.ts';
import { pointerSteps } from '../validate.ts';
import { overridesFrom } from './env.ts';
import type { ConfigFile } from './file.ts';
import { type Key, type KeyName, keyAt, keyNames, keys, sectionNames, type ValueOf } from './keys.ts';
import { bytesOf, configFaults, demandOf } from './schema.ts';

export interface Values {
  /** The value of a key, of its type; its default where nobody set it. */
  get<K extends KeyName>(key: K): ValueOf<K>;
  /** Whether a key, or anything in a section, was set. */
  has(path: string): boolean;
  /** Whether the environment set it. */
  fromEnv(path: string): boolean;
  /** Whether the environment unset a whole section, or one that it lies in. */
  unset(section: string): boolean;
  /** Variables of the peer's prefix that name no key. */
  readonly ignoredVariables: readonly string[];
}

type Tree = Record<string, unknown>;

/** @throws {InputError} with one line for everything that is wrong, and without the values of secrets */
export function readValues(file: ConfigFile | null, env: NodeJS.ProcessEnv, cwd: string): Values {
  const origins = new Map<string, string>();
  const unsets = new Set<string>();
  const tree = withoutNulls(file?.content ?? {});
  const { overrides, faults, ignored } = overridesFrom(env);
  if (!isTree(tree))
    throw new InputError(`The config file ${file?.path} must hold keys with values, like «id: my-node»`);

  for (const { name, path, value } of overrides) {
    for (const other of [...origins.keys()]) if (isWithin(other, path)) origins.delete(other);
    origins.set(path, name);
    unsets.delete(path);
    if (value === undefined) unsets.add(path);
    place(tree, path.split('.'), value);
  }

  const originOf = (path: string): string | undefined => {
    const setter = [...origins].findLast(([set]) => isWithin(path, set));
    return setter?.[1];
  };
  const entries = faultsOf(tree).map(({ path, words }) => {
    const variable = originOf(path.join('.'));
    if (variable) return `${variable}: ${words}`;
    return file ? `line ${file.lineOf(path)}: ${words}` : words;
  });
  if (faults.length + entries.length > 0) {
    const head = file ? `The config (${file.path} and environment) is not valid:` : 'The config is not valid:';
    throw new InputError([head, ...[...entries, ...faults].map((entry) => `  ${entry}`)].join('\n'));
  }

  const fromEnv = (path: string) => originOf(path) !== undefined;
  return {
    get: <K extends KeyName>(key: K) => {
      const raw = valueAt(tree, key) ?? defaultOf(keys[key]);
      const folder = file && valueAt(tree, key) !== undefined && !fromEnv(key) ? dirname(file.path) : cwd;
      return finished(keys[key], raw, folder) as ValueOf<K>;
    },
    has: (path) => valueAt(tree, path) !== undefined,
    fromEnv,
    unset: (section) => [...unsets].some((path) => isWithin(section, path)),
    ignoredVariables: ignored,
  };
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const isWithin = (path: string, section: string): boolean => path === section || path.startsWith(`${section}.`);

/** A key without a value, as in `buckets:`, is a key that is not there. */
function withoutNulls(value: unknown): unknown {
  if (!isTree(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutNulls(inner)]));
}

function place(tree: Tree, words: readonly string[], value: unknown): void {
  const [first = '', ...rest] = words;
  if (rest.length === 0) {
    if (value === undefined) delete tree[first];
    else tree[first] = withoutNulls(value);
    return;
  }
  const inner = tree[first];
  if (isTree(inner)) place(inner, rest, value);
  else if (value !== undefined) {
    const made: Tree = {};
    tree[first] = made;
    place(made, rest, value);
  }
}

function valueAt(tree: Tree, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, word) => (isTree(at) && Object.hasOwn(at, word) ? at[word] : undefined), tree);
}

const defaultOf = (key: Key): unknown => (typeof key.default === 'function' ? key.default() : key.default);

function finished({ type }: Key, value: unknown, folder: string): unknown {
  if (value === undefined) return null;
  if (type === 'path') return resolve(folder, String(value));
  if (type === 'size') return bytesOf(value as string | number);
  return value;
}

interface Fault {
  readonly path: readonly string[];
  readonly words: string;
}

function faultsOf(tree: Tree): Fault[] {
  const faults = new Map<string, Fault>();
  for (const { path: pointer } of configFaults(tree)) {
    const words = pointerSteps(pointer);
    const known = knownPart(words);
    const name = words.join('.');
    if (known.length === words.length || keyAt(known.join('.'))) {
      const path = known.join('.');
      faults.set(path, { path: known, words: `${path}: ${wrongValue(path, valueAt(tree, path))}` });
    } else {
      faults.set(name, { path: words, words: `${name}: no such key${suggestion(known, words)}` });
    }
  }
  return [...faults.values()];
}

/** The longest part of a path that is a key or a section; beneath a key lie its list entries. */
function knownPart(words: readonly string[]): readonly string[] {
  let length = 0;
  while (length < words.length) {
    const path = words.slice(0, length + 1).join('.');
    if (!keyAt(path) && !sectionNames.includes(path)) break;
    length += 1;
  }
  return words.slice(0, length);
}

function wrongValue(path: string, value: unknown): string {
  const key = keyAt(path);
  if (!key) return 'must hold further keys';
  const shown = typeof value === 'object' || key.secret ? '' : `, not ${JSON.stringify(value)?.slice(0, 80)}`;
  return `must be ${demandOf(key)}${shown}`;
}

function suggestion(known: readonly string[], words: readonly string[]): string {
  const wanted = words.slice(0, known.length + 1).join('.');
  const last = words[known.length] ?? '';
  const siblings = [...keyNames, ...sectionNames].filter(
    (path) => path.split('.').slice(0, -1).join('.') === known.join('.'),
  );
  const near =
    closestMatch(wanted, siblings, { maxDistance: Math.ceil(last.length / 3) }) ??
    keyNames.find((path) => path.split('.').at(-1) === last);
  return near ? `; did you mean ${near}?` : '';
}
