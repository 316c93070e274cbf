// Reads a catalogue in NDJSON, one object or worker per line, as a stream.
import { pointerSteps, type SchemaError } from '../../base/validate.ts';
import type { CatalogueEntry } from './catalogue-entries.ts';
import { errorLine, hintedMessage, printPath } from './catalogue-errors.ts';
import { objectFaultsOf, type StatedObject, workerFaultsOf } from './catalogue-schema.ts';
import { type TextLine, textLines } from './text-lines.ts';

/** An object in a thousand buckets has a tenth of it. */
const maxLineBytes = 262_144;

/** @param file the catalogue's name, without its folder, for the messages */
export async function* ndjsonEntries(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<CatalogueEntry[]> {
  for await (const lines of textLines(chunks, maxLineBytes)) {
    yield lines.flatMap((line) => entriesOf(line, file));
  }
}

/** One entry, or the errors of the line. */
function entriesOf(line: TextLine, file: string): CatalogueEntry[] {
  const { number } = line;
  if ('fault' in line) return [{ error: errorLine(file, number, '', line.fault) }];
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (error) {
    return [{ error: errorLine(file, number, '', `is not JSON: ${(error as SyntaxError).message}`) }];
  }
  const isWorker = typeof value === 'object' && value !== null && 'worker' in value;
  const faults = isWorker ? workerFaultsOf(value) : objectFaultsOf(value);
  if (faults.length > 0) return faults.map((fault) => ({ error: faultLine(file, number, value, fault) }));
  if (!isWorker) return [{ object: value as StatedObject, line: number }];
  const { worker: id, buckets } = value as { worker: number; buckets: string[] };
  return [{ worker: { id, buckets }, line: number }];
}

function faultLine(file: string, number: number, value: unknown, { path, message }: SchemaError): string {
  const [key, at] = pointerSteps(path);
  const of = key === undefined ? value : (value as Record<string, unknown>)[key];
  if (at === undefined) return errorLine(file, number, key ?? '', hintedMessage(message, of));
  const item = (of as unknown[])[Number(at)];
  return errorLine(file, number, printPath([key ?? '', Number(at)]), hintedMessage(message, item));
}
