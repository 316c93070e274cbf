// The checked values of the config, merged from files and environment.
import { dirname, resolve } from 'node:path';
import { closestMatch } from 'leven';
import { InputError } from '../base/errors.ts';
import { pointerSteps } from '../base/validate.ts';
import type { ConfigFile } from './config-file.ts';
import { bytesOf, configErrors, demandOf } from './config-schema.ts';
import { type Key, type KeyName, keyAt, keyNames, keys, type Section, sectionNames, type ValueOf } from './keys.ts';
import { isWithin, layersOf, nested, type Tree, valueAt } from './layers.ts';

export interface Values {
  /** The value of a key in its type, or its default. */
  get<K extends KeyName>(key: K): ValueOf<K>;
  /** The values of all keys in use. */
  readonly all: Section;
  /** Whether a key, or anything in a section, was set. */
  has(path: string): boolean;
  /** Rank of the source that set it: the environment is above every file, a later file above an earlier one. -1: unset. */
  rank(path: string): number;
  /** Whether the environment unset this section or one around it. */
  unset(section: string): boolean;
  /** Variables of the peer's prefix that name no key. */
  readonly ignoredVariables: readonly string[];
}

/** @throws {InputError} with one line for each error, without the values of secrets */
export function readValues(files: readonly ConfigFile[], env: NodeJS.ProcessEnv, cwd: string): Values {
  const { tree, originOf, unsets, errors, ignored } = layersOf(files, env);
  const entries = errorsOf(tree).map(({ path, words }) => {
    const { variable, file } = originOf(path.join('.')) ?? {};
    if (file === undefined) return variable ? `${variable}: ${words}` : words;
    return `${files.length > 1 ? `${file.path} ` : ''}line ${file.lineOf(path)}: ${words}`;
  });
  if (errors.length + entries.length > 0) {
    const from = files.length > 0 ? ` (${files.map(({ path }) => path).join(', ')} and environment)` : '';
    const lines = [...entries, ...errors].map((entry) => `  ${entry}`);
    throw new InputError([`The config${from} is not valid:`, ...lines].join('\n'));
  }

  const get = <K extends KeyName>(key: K) => {
    const given = valueAt(tree, key);
    const file = given === undefined ? undefined : originOf(key)?.file;
    return finished(keys[key], given ?? defaultOf(keys[key]), file ? dirname(file.path) : cwd) as ValueOf<K>;
  };
  const used = keyNames.filter((name) => !('unused' in keys[name]));
  return {
    get,
    all: nested(used.map((name) => [name.split('.'), get(name)])) as Section,
    has: (path) => valueAt(tree, path) !== undefined,
    rank: (path) => originOf(path)?.rank ?? -1,
    unset: (section) => [...unsets].some((path) => isWithin(section, path)),
    ignoredVariables: ignored,
  };
}

const defaultOf = (key: Key): unknown => (typeof key.default === 'function' ? key.default() : key.default);

function finished({ type }: Key, value: unknown, folder: string): unknown {
  if (value === undefined) return null;
  if (type === 'path') return resolve(folder, String(value));
  if (type === 'size') return bytesOf(value as string | number);
  return value;
}

interface KeyError {
  readonly path: readonly string[];
  readonly words: string;
}

function errorsOf(tree: Tree): KeyError[] {
  const errors = new Map<string, KeyError>();
  for (const { path: pointer } of configErrors(tree)) {
    const words = pointerSteps(pointer);
    const known = knownPart(words);
    const name = words.join('.');
    if (known.length === words.length || keyAt(known.join('.'))) {
      const path = known.join('.');
      errors.set(path, { path: known, words: `${path}: ${wrongValue(path, valueAt(tree, path))}` });
    } else {
      errors.set(name, { path: words, words: `${name}: no such key${suggestion(known, words)}` });
    }
  }
  return [...errors.values()];
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
