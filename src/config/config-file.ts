// Config files: which ones to read, their content, and the line of each key.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { codeOf, InputError } from '../base/errors.ts';
import { parseYaml, YamlError, type YamlText } from '../base/yaml.ts';

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** Undefined: the file is empty. */
  readonly content: unknown;
  readonly lineOf: YamlText['lineOf'];
}

/**
 * The files to read: `--config`, else `DISTRIBUTOR_CONFIG`, which may name several as `PATH` does, else the peer's
 * `CONFIG_PATH`, else `./config.yml` if it exists.
 */
export function configPaths(options: readonly string[], env: NodeJS.ProcessEnv, cwd: string): string[] {
  const { DISTRIBUTOR_CONFIG: ours = '', CONFIG_PATH: peers } = env;
  const named = [options, ours.split(delimiter).filter(Boolean), peers ? [peers] : []].find((list) => list.length > 0);
  if (named !== undefined) return named.map((path) => resolve(cwd, path));
  const usual = resolve(cwd, 'config.yml');
  return existsSync(usual) ? [usual] : [];
}

/**
 * YAML or JSON (a subset of YAML).
 * @throws {InputError} with the line; never with text from the file, which may be a secret
 */
export function readConfigFile(path: string): ConfigFile {
  try {
    const { value, lineOf } = parseYaml(textOf(path));
    if (isEndless(value)) throw new YamlError('an alias refers to itself', null);
    return { path, content: value, lineOf };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, message } = error;
    // Cut where the parser begins to quote the file.
    const what = message.replace(/[:"!].*$/s, '').trim();
    throw new InputError(
      `The config file ${path} is not valid YAML:\n  ${line === null ? '' : `line ${line}: `}${what}`,
    );
  }
}

function isEndless(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return false;
  } catch {
    return true;
  }
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
