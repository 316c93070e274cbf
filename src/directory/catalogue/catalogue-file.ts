// Reads a catalogue file and finds the file of each of its objects, or says where the catalogue is wrong and how.
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, messageOf } from '../../base/errors.ts';
import { pointerSteps } from '../../base/validate.ts';
import { parseYaml, type ValuePath, YamlError, type YamlText } from '../../base/yaml.ts';
import { type Catalogue, faultsOf } from './catalogue-schema.ts';
import { type Located, locateFile, realFolder } from './object-file.ts';

export type CatalogueLoad =
  | {
      readonly result: 'loaded';
      /** The real path of the catalogue's folder. */
      readonly root: string;
      readonly catalogue: Catalogue;
      /** Where each object's file is, in the catalogue's order. */
      readonly located: readonly Located[];
    }
  | {
      readonly result: 'refused';
      /** `Unreadable` may be temporary; `Invalid` needs an edit. */
      readonly reason: 'Missing' | 'Unreadable' | 'Invalid';
      readonly errors: readonly string[];
    };

/**
 * Synchronous, for a thread of its own: a hundred thousand objects take a second or two.
 * @param file absolute
 */
export function loadCatalogue(file: string): CatalogueLoad {
  let bytes: Buffer;
  let root: string;
  try {
    bytes = bytesOf(file);
    root = realFolder(dirname(file));
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'Missing' : 'Unreadable';
    return { result: 'refused', reason, errors: [`${basename(file)}: ${messageOf(error)}`] };
  }
  const parsed = isUtf8(bytes)
    ? parseCatalogue(bytes.toString('utf8'), file)
    : { errors: [`${basename(file)}: is not UTF-8 text`] };
  if ('errors' in parsed) return { result: 'refused', reason: 'Invalid', errors: parsed.errors };
  const { catalogue } = parsed;
  return { result: 'loaded', root, catalogue, located: catalogue.objects.map(({ file }) => locateFile(root, file)) };
}

function bytesOf(file: string): Buffer {
  // Without O_NONBLOCK, opening a named pipe blocks until a writer opens it.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new Error('is not an ordinary file');
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** One error in a catalogue. */
interface CatalogueError {
  readonly path: ValuePath;
  /** To be read after the path: `objects[3].buckets: must be array`. */
  readonly message: string;
}

export type ReadCatalogue = { readonly catalogue: Catalogue } | { readonly errors: readonly string[] };

/** Further errors are only counted. */
const maxErrors = 20;

/**
 * @param name the file's path, for the messages
 * @returns errors as `catalogue.yml:12: objects[3].buckets: must be array`, in the order of the text as far as possible
 */
export function parseCatalogue(text: string, name: string): ReadCatalogue {
  const file = basename(name);
  let yaml: YamlText;
  try {
    yaml = parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return { errors: [error.line === null ? `${file}: ${error.message}` : `${file}:${error.line}: ${error.message}`] };
  }
  if (yaml.value === undefined) return { errors: [`${file}: is empty`] };
  const errors = errorsOf(yaml.value);
  if (errors.length > 0) return { errors: formatErrors(file, yaml, errors) };
  const { objects, workers = [] } = yaml.value as Catalogue & { workers?: Catalogue['workers'] };
  return { catalogue: { objects, workers } };
}

function errorsOf(value: unknown): CatalogueError[] {
  const found = faultsOf(value);
  if (found.length === 0) return duplicates(value as Catalogue);
  return found.map(({ path, message }) => {
    const steps = stepsOf(path);
    const isNumber = typeof valueAt(value, steps) === 'number';
    return {
      path: steps,
      message: isNumber && message === 'must be string' ? `${message}: put it in quotes` : message,
    };
  });
}

function duplicates({ objects, workers }: Partial<Catalogue>): CatalogueError[] {
  return [...duplicateIds('objects', objects ?? []), ...duplicateIds('workers', workers ?? [])];
}

function duplicateIds(
  list: 'objects' | 'workers',
  items: readonly { readonly id: string | number }[],
): CatalogueError[] {
  const first = new Map<string | number, number>();
  return items.flatMap(({ id }, index) => {
    const other = first.get(id);
    if (other === undefined) first.set(id, index);
    return other === undefined
      ? []
      : [{ path: [list, index, 'id'], message: `${id} is the id of ${list}[${other}] too` }];
  });
}

function formatErrors(file: string, yaml: YamlText, errors: readonly CatalogueError[]): string[] {
  const listed = errors
    .slice(0, maxErrors)
    .map((error) => ({ ...error, line: yaml.lineOf(error.path) }))
    .sort((a, b) => a.line - b.line)
    .map(({ path, message, line }) => `${file}:${line}: ${path.length === 0 ? '' : `${printPath(path)}: `}${message}`);
  const more = errors.length - listed.length;
  return more > 0 ? [...listed, `${file}: … and ${more} more`] : listed;
}

const printPath = (path: ValuePath): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at > 0 ? '.' : ''}${step}`)).join('');

/** The steps of a JSON Pointer into a catalogue, whose arrays are at known depths: digits there are indexes. */
const stepsOf = (pointer: string): ValuePath =>
  pointerSteps(pointer).map((step, at) => ((at === 1 || at === 3) && /^\d+$/.test(step) ? Number(step) : step));

const valueAt = (value: unknown, path: ValuePath): unknown =>
  path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step], value);
