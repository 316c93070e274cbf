// Times shown as ages, updated by one timer for the whole page.
import { h, setText } from './dom.ts';
import { durationText } from './numbers.ts';

/** A `<time>` element that shows how long ago a time is, or how far ahead; the time itself is its `datetime`. */
export function age(at: string, form: 'ago' | 'in' | 'for' = 'ago'): HTMLTimeElement {
  const element = h('time', { datetime: at, 'data-age': form, title: new Date(at).toLocaleString() });
  showAge(element);
  return element;
}

/** `14:03:09` in the browser's time zone. */
export const clockText = (at: string): string => new Date(at).toLocaleTimeString('en-GB');

/** Called once a second. */
export function updateAges(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>('time[data-age]')) showAge(element);
}

function showAge(element: HTMLTimeElement): void {
  const ms = Date.now() - Date.parse(element.dateTime);
  const form = element.dataset.age;
  if (form === 'in') setText(element, `in ${durationText(-ms)}`);
  else if (form === 'for') setText(element, `for ${durationText(ms)}`);
  else setText(element, `${durationText(ms)} ago`);
}
