// The answer to a dry run in a few lines for people.
import type { ObjectLot } from '../../machines/coverage-change.ts';
import type { Outlook, Preview } from '../control/node-control.ts';
import { isObject, settingsWords, shortList, statusWords } from './answers.ts';

export const isPreview = (document: unknown): document is Preview =>
  isObject(document) && document.dryRun === true && isObject(document.before) && isObject(document.after);

export function previewLines({ command, before, after, objects, conditions }: Preview): string[] {
  const rows = [
    row('state', statusWords(before), statusWords(after)),
    row('settings', settingsWords(before), settingsWords(after)),
    row('distributes', bucketWords(before), bucketWords(after)),
    row('generation', String(before.generation), String(after.generation)),
    ...(objects ? [`  ${'drops'.padEnd(14)}${lotWords(objects.dropped)}`] : []),
    ...(objects ? [`  ${'gains'.padEnd(14)}${lotWords(objects.gained)}`] : []),
    ...conditions.map(({ type, message }) => `! ${type}: ${message}`),
  ];
  return [`${command}: would be done. This is a dry run: nothing has changed.`, ...rows];
}

const row = (name: string, before: string, after: string): string =>
  `  ${name.padEnd(14)}${before === after ? `${before}, as now` : `${before} → ${after}`}`;

const bucketWords = ({ effectiveBuckets: ids }: Outlook): string =>
  ids.length === 0 ? 'nothing' : `buckets ${shortList(ids)}`;

function lotWords({ count, bytes, sizeUnknown, ids }: ObjectLot): string {
  if (count === 0) return 'nothing';
  const unknown = sizeUnknown > 0 ? ` and ${sizeUnknown} of unknown size` : '';
  const more = count > ids.length ? ` and ${count - ids.length} more` : '';
  return `${count} object${count === 1 ? '' : 's'}, ${bytes} bytes${unknown}: ${ids.join(' ')}${more}`;
}
