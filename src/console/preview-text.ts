// The result of a dry run, in a few lines.
import type { Preview } from '../control/node-control.ts';
import { bytesText, countText } from './numbers.ts';

type Lot = NonNullable<Preview['objects']>['dropped'];

/** One line per difference. */
export function previewLines({ before, after, objects, objectsUnknown, conditions }: Preview): string[] {
  const buckets = after.effectiveBuckets.join(' ') || 'none';
  const isSame = before.effectiveBuckets.join(' ') === after.effectiveBuckets.join(' ');
  return [
    `Effective buckets${isSame ? ' (unchanged)' : ''}: ${shortened(buckets)}`,
    ...(objects ? [`Dropped: ${lotText(objects.dropped)}`, `Gained: ${lotText(objects.gained)}`] : []),
    ...(objectsUnknown ? [`Objects: not known. ${objectsUnknown}`] : []),
    ...conditions.map(({ type, message }) => `▲ ${type}: ${message}`),
  ];
}

function lotText({ count, bytes, sizeUnknown, ids }: Lot): string {
  if (count === 0) return 'nothing';
  const unknown = sizeUnknown > 0 ? ` and ${sizeUnknown} of unknown size` : '';
  const more = count > ids.length ? ` and ${(count - ids.length).toLocaleString('en')} more` : '';
  return `${countText(count, 'object')}, ${bytesText(bytes)}${unknown} (${shortened(ids.join(' '))}${more})`;
}

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
