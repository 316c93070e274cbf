// Parses a YAML catalogue as a whole, or lists its errors with their lines.
import { basename } from 'node:path';
import { pointerSteps } from '../../base/validate.ts';
import { parseYaml, type ValuePath, YamlError, type YamlText } from '../../base/yaml.ts';
import { ErrorList, errorLine, hintedMessage, maxErrors, printPath } from './catalogue-errors.ts';
import { type Catalogue, faultsOf } from './catalogue-schema.ts';

/** One error in a catalogue. */
interface CatalogueError {
  readonly path: ValuePath;
  /** Follows the path: `objects[3].buckets: must be array`. */
  readonly message: string;
}

export type ReadCatalogue = { readonly catalogue: Catalogue } | { readonly errors: readonly string[] };

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
    return {
      errors: [error.line === null ? `${file}: ${error.message}` : errorLine(file, error.line, '', error.message)],
    };
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
    return { path: steps, message: hintedMessage(message, valueAt(value, steps)) };
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
      : [{ path: [list, index, 'id'], message: `${id} is also the id of ${list}[${other}]` }];
  });
}

function formatErrors(file: string, yaml: YamlText, errors: readonly CatalogueError[]): readonly string[] {
  const listed = errors
    .slice(0, maxErrors)
    .map((error) => ({ ...error, line: yaml.lineOf(error.path) }))
    .sort((a, b) => a.line - b.line)
    .map(({ path, message, line }) => errorLine(file, line, printPath(path), message));
  const list = new ErrorList(file);
  for (const line of listed) list.add(line);
  for (const _ of errors.slice(maxErrors)) list.add('');
  return list.lines;
}

/** The steps of a JSON Pointer into a catalogue, whose arrays are at known depths: digits there are indexes. */
const stepsOf = (pointer: string): ValuePath =>
  pointerSteps(pointer).map((step, at) => ((at === 1 || at === 3) && /^\d+$/.test(step) ? Number(step) : step));

const valueAt = (value: unknown, path: ValuePath): unknown =>
  path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step], value);
