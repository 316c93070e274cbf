// `catalogue`: prints a catalogue for any folder of files, ready to be saved in it.
import { Command, Option } from 'commander';
import type { DescribeProgress, IdChoice } from '../directory/catalogue/folder-entries.ts';
import { wholeNumber } from './argument-types.ts';
import { examples } from './help.ts';
import { sayError, sayPieces, showProgress, wipeProgress } from './print.ts';

interface CatalogueOptions {
  readonly bucket: string;
  readonly worker: number;
  readonly format: 'yaml' | 'ndjson';
  readonly ids?: IdChoice;
}

export const catalogueCommand = (): Command =>
  new Command('catalogue')
    .summary('Print a catalogue for a folder of files.')
    .description(
      'Print a catalogue for a folder of files, with the type, size and hash of each. Save it in that folder to serve the files.',
    )
    .argument('<folder>', 'the folder, searched recursively')
    .option('--bucket <id>', 'bucket of all objects', '0:0')
    .option('--worker <number>', 'worker that distributes the bucket', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .addOption(
      new Option(
        '--format <format>',
        'ndjson has one object per line and is read as a stream: use it for large catalogues',
      )
        .choices(['yaml', 'ndjson'])
        .default('yaml'),
    )
    .addOption(
      new Option(
        '--ids <kind>',
        "source of the ids: count numbers the files; names uses each file's own name, as in the asset folder of Joystream's node. Required if all names are decimal numbers",
      ).choices(['count', 'names']),
    )
    .addHelpText(
      'after',
      examples(
        ['distributor-node catalogue ./videos > ./videos/catalogue.yml'],
        ['DISTRIBUTOR__CATALOGUE=./videos/catalogue.yml DISTRIBUTOR__WORKER_ID=0 distributor-node start'],
        ['distributor-node catalogue ./videos --bucket 1:0 --worker 3'],
        ['distributor-node catalogue ./assets --ids names --format ndjson > ./assets/catalogue.ndjson'],
      ),
    )
    .action(async (folder: string, options: CatalogueOptions) => {
      const { describeFolder } = await import('../directory/catalogue/describe-folder.ts');
      const progress = progressLine();
      const onLeftOut = (line: string) => {
        progress.clear();
        sayError(`Skipped: ${line}`);
      };
      const pieces = describeFolder(folder, { ...options, onProgress: progress.show, onLeftOut });
      await sayPieces(pieces, progress.clear).finally(progress.clear);
    });

/** Silent for the first second; then one line that is overwritten on a terminal, or one line every ten seconds elsewhere. */
function progressLine() {
  const { isTTY } = process.stderr;
  let nextAt = performance.now() + 1000;
  let isShown = false;
  return {
    show: ({ files, filesDone, bytes, bytesDone }: DescribeProgress): void => {
      if (performance.now() < nextAt) return;
      nextAt = performance.now() + (isTTY ? 200 : 10_000);
      isShown = true;
      const percent = bytes === 0 ? 100 : Math.floor((100 * bytesDone) / bytes);
      const line = `${filesDone} of ${files} files, ${percent} % of ${Math.ceil(bytes / 1_048_576)} MiB`;
      showProgress(line);
    },
    clear: (): void => {
      if (isShown) wipeProgress();
      isShown = false;
    },
  };
}
