// Moments shown as their age, kept true by one clock for the whole page.
import { h, setText } from './dom.ts';
import { durationText } from './numbers.ts';

/** An element that says how long ago a moment is, or how far ahead; the moment itself is in its `datetime`. */
export function age(at: string, form: 'ago' | 'in' | 'for' = 'ago'): HTMLTimeElement {
  const element = h('time', { datetime: at, 'data-age': form, title: new Date(at).toLocaleString() });
  tell(element);
  return element;
}

/** `14:03:09` of the reader's clock. */
export const clockText = (at: string): string => new Date(at).toLocaleTimeString('en-GB');

/** Once a second, for all that are on the page. */
export function updateAges(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>('time[data-age]')) tell(element);
}

function tell(element: HTMLTimeElement): void {
  const ms = Date.now() - Date.parse(element.dateTime);
  const form = element.dataset.age;
  if (form === 'in') setText(element, `in ${durationText(-ms)}`);
  else if (form === 'for') setText(element, `for ${durationText(ms)}`);
  else setText(element, `${durationText(ms)} ago`);
}
