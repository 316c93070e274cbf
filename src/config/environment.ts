// Overrides from the environment: `DISTRIBUTOR__OPERATOR_API__PORT=3336`, and the same with the peer's prefix.
import { closestMatch } from 'leven';
import { envNameOf, type Key, keyAt, keyNames, sectionNames } from './keys.ts';

const peerPrefix = 'JOYSTREAM_DISTRIBUTOR__';
/** Later ones override earlier ones. */
const prefixes = [peerPrefix, 'DISTRIBUTOR__'] as const;
const unsetting: readonly string[] = ['off', 'null', 'undefined'];

export interface Override {
  /** The variable. */
  readonly name: string;
  /** Of the key, or of a whole section. */
  readonly path: string;
  /** Undefined: unset. */
  readonly value: unknown;
}

export interface FromEnv {
  /** In the order in which they are applied over the files. */
  readonly overrides: readonly Override[];
  /** One line for each variable of our own prefix that names no key. */
  readonly errors: readonly string[];
  /** Variables of the peer's prefix that name no key. The peer ignores them, and its deployment files have some. */
  readonly ignored: readonly string[];
}

export function overridesFrom(env: NodeJS.ProcessEnv): FromEnv {
  const overrides: Override[] = [];
  const errors: string[] = [];
  const ignored: string[] = [];
  for (const prefix of prefixes) {
    const names = Object.keys(env).filter((name) => name.startsWith(prefix));
    // Whole sections first, so that a key can be set on top of them.
    for (const name of names.sort((a, b) => depthOf(a) - depthOf(b) || a.localeCompare(b))) {
      const path = paths.get(name.slice(prefix.length));
      if (path !== undefined) overrides.push({ name, path, value: overrideOf(path, env[name] ?? '') });
      else if (prefix === peerPrefix) ignored.push(`${name}${suggestion(name, prefix, (words) => ` (${words})`)}`);
      else errors.push(`${name}: no such key${suggestion(name, prefix, (words) => `; ${words}`)}`);
    }
  }
  return { overrides, errors, ignored };
}

const depthOf = (name: string): number => name.split('__').length;

const paths: ReadonlyMap<string, string> = new Map(
  [...sectionNames, ...keyNames].map((path) => [envNameOf(path), path]),
);

function suggestion(name: string, prefix: string, format: (words: string) => string): string {
  const rest = name.slice(prefix.length);
  const near = closestMatch(rest.toUpperCase(), [...paths.keys()], { maxDistance: Math.ceil(rest.length / 3) });
  return near ? format(`did you mean ${prefix}${near}?`) : '';
}

/** The value in the key's type. Text that does not fit stays text, and the schema refuses it. */
function overrideOf(path: string, text: string): unknown {
  const key = keyAt(path);
  if (unsetting.includes(text) && !key?.oneOf?.includes(text)) return undefined;
  if (key === undefined) return parsed(text);
  return typed(key, text);
}

function typed({ type }: Key, text: string): unknown {
  switch (type) {
    case 'integer':
    case 'size':
      return /^-?[0-9]+$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : text);
    case 'strings':
    case 'hosts':
    case 'list':
      return parsed(text);
    default:
      return text;
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
