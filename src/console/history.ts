// The last commands: name, input, answer, operator and address.
import { clockText } from './ages.ts';
import { byId, fill, h, setText } from './dom.ts';
import type { CommandEvent, Model } from './model.ts';

export function historyPanel(): (model: Model) => void {
  let drawn: readonly CommandEvent[] | null = null;
  return ({ commands, state }) => {
    const none = state === null ? 'Not known yet.' : 'No command since this node started.';
    setText(byId('history-none'), commands.length === 0 ? none : '');
    if (commands === drawn) return;
    drawn = commands;
    fill(byId('history'), ...commands.map(rowOf));
    byId('history-table').hidden = commands.length === 0;
  };
}

function rowOf(entry: CommandEvent): HTMLTableRowElement {
  const { at, command, input, status, detail } = entry;
  const isDone = status < 400;
  const body =
    input !== null && typeof input === 'object' && Object.keys(input).length > 0 ? JSON.stringify(input) : null;
  return h(
    'tr',
    { 'data-done': isDone ? 'yes' : 'no' },
    h('td', { 'data-is': 'When' }, h('time', { datetime: at, title: new Date(at).toLocaleString() }, clockText(at))),
    h('th', { scope: 'row' }, command ?? 'a request', body && h('code', { title: body }, shortened(body))),
    h(
      'td',
      { 'data-is': 'Answer' },
      h('span', { 'aria-hidden': 'true' }, isDone ? '✓ ' : '✕ '),
      `${status}${detail ? ` ${detail}` : ''}`,
    ),
    h('td', { 'data-is': 'Who' }, whoText(entry)),
  );
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

function whoText({ sub, kind, from, method }: CommandEvent): string {
  if (method.startsWith('SIG')) return method;
  const by = sub ?? (kind === 'access' ? 'an access token' : kind === 'request' ? 'holder of the secret' : 'unknown');
  return from === null ? by : `${by}, ${from.replace(/^::ffff:/, '')}`;
}
