// The config file: which one it is, its content, and on which line each key stands.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { codeOf, InputError } from '../errors.ts';

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly content: unknown;
  /** Line of a key, counted from 1; undefined where it is not in the file. */
  lineOf(path: readonly string[]): number | undefined;
}

/** The file that is meant: `--config`, else `DISTRIBUTOR_CONFIG`, else `./config.yml` if there; null: none. */
export function configPath(option: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string | null {
  const named = option ?? (env.DISTRIBUTOR_CONFIG || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const usual = resolve(cwd, 'config.yml');
  return existsSync(usual) ? usual : null;
}

/**
 * YAML or JSON, which is YAML as well.
 * @throws {InputError} what could not be read or parsed, by line; never with text from the file, which may be a secret
 */
export function readConfigFile(path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(textOf(path), { lineCounter: lines, prettyErrors: false });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    const entries = wrong.map(
      ({ pos, message }) => `  line ${lines.linePos(pos[0]).line}: ${message.replace(/:.*$/s, '')}`,
    );
    throw new InputError([`The config file ${path} is not valid YAML:`, ...entries].join('\n'));
  }
  return { path, content: contentOf(path, document), lineOf: (keys) => lineOf(document.contents, keys, lines) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new InputError(`The config file ${path} ${why}`);
  }
}

function contentOf(path: string, document: { toJS(): unknown }): unknown {
  try {
    return document.toJS();
  } catch {
    throw new InputError(`The config file ${path} is not valid YAML: its aliases cannot be resolved`);
  }
}

function lineOf(root: Node | null, path: readonly string[], lines: LineCounter): number | undefined {
  let node: unknown = root;
  let start: number | undefined;
  for (const word of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === word);
    if (!pair) return undefined;
    start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
    node = pair.value;
  }
  return start === undefined ? undefined : lines.linePos(start).line;
}
