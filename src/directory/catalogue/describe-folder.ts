// Writes a catalogue for any folder of files, as YAML or NDJSON, in pieces.
import { dump } from 'js-yaml';
import type { DescribeOptions } from './folder-entries.ts';
import { folderEntries } from './folder-entries.ts';

export interface WriteOptions extends DescribeOptions {
  /** `yaml` by default. */
  readonly format?: 'yaml' | 'ndjson';
  /** Called with one line for each skipped file. In YAML the lines are also comments in the text. */
  readonly onLeftOut?: (line: string) => void;
}

/**
 * Saved in that folder as `catalogue.yml` or `catalogue.ndjson`, the text is a valid catalogue.
 * @returns pieces of the text, each of whole lines
 * @throws {InputError} as `folderEntries`
 */
export async function* describeFolder(folder: string, options: WriteOptions = {}): AsyncGenerator<string> {
  const { format = 'yaml', onLeftOut } = options;
  const write = format === 'yaml' ? yamlWriter() : ndjsonWriter();
  for await (const entry of folderEntries(folder, options)) {
    if ('skipped' in entry) {
      onLeftOut?.(entry.skipped);
      if (format === 'yaml') yield `# Skipped: ${oneLine(entry.skipped)}\n`;
    } else if ('object' in entry) yield write.object(entry.object);
    else yield write.worker(entry.worker);
  }
}

interface Writer {
  object(object: object): string;
  worker(worker: { readonly id: number; readonly buckets: readonly string[] }): string;
}

/** One entry per line, for grep and diff. */
function yamlWriter(): Writer {
  const options = { flowLevel: 0, flowBracketPadding: true, lineWidth: -1, quoteStyle: 'double' } as const;
  const item = (entry: object) => `  - ${dump(entry, options)}`;
  let hasObjects = false;
  return {
    object: (object) => {
      const head = hasObjects ? '' : 'objects:\n';
      hasObjects = true;
      return head + item(object);
    },
    worker: (worker) => `${hasObjects ? '' : 'objects: []\n'}workers:\n${item(worker)}`,
  };
}

const ndjsonWriter = (): Writer => ({
  object: (object) => `${JSON.stringify(object)}\n`,
  worker: ({ id, buckets }) => `${JSON.stringify({ worker: id, buckets })}\n`,
});

/** Escapes everything that any YAML parser takes for a line break, which would end the comment. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, '?');
