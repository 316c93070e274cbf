// `catalogue`: prints a catalogue for any folder of files, ready to be saved in it.
import { Command } from 'commander';
import type { DescribeProgress } from '../directory/catalogue/describe-folder.ts';
import { wholeNumber } from './argument-types.ts';
import { examples } from './help.ts';
import { sayError, sayFile, showProgress, wipeProgress } from './print.ts';

interface CatalogueOptions {
  readonly bucket: string;
  readonly worker: number;
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
    .addHelpText(
      'after',
      examples(
        ['distributor-node catalogue ./videos > ./videos/catalogue.yml'],
        ['DISTRIBUTOR__CATALOGUE=./videos/catalogue.yml DISTRIBUTOR__WORKER_ID=0 distributor-node start'],
        ['distributor-node catalogue ./videos --bucket 1:0 --worker 3'],
      ),
    )
    .action(async (folder: string, { bucket, worker }: CatalogueOptions) => {
      const { describeFolder } = await import('../directory/catalogue/describe-folder.ts');
      const progress = progressLine();
      const onLeftOut = (line: string) => {
        progress.clear();
        sayError(`Skipped: ${line}`);
      };
      const text = await describeFolder(folder, { bucket, worker, onProgress: progress.show, onLeftOut }).finally(
        progress.clear,
      );
      sayFile(text);
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
