// One command on the page: its fields, its buttons, why it is not legal now, and the result of the last attempt.
import { type CommandName, type CommandRow, commands } from '../../machines/commands.ts';
import type { Preview } from '../control/node-control.ts';
import type { Answer, CallOptions, Problem } from './api.ts';
import { confirmed } from './confirm.ts';
import { type Child, fill, h, setAttributes, setText } from './dom.ts';
import { failureOf } from './failures.ts';
import { type Field, fieldOf } from './fields.ts';
import type { State } from './model.ts';
import { previewLines } from './preview-text.ts';

export interface CardParts {
  readonly name: CommandName;
  readonly send: (name: CommandName, body: object, options: CallOptions) => Promise<Answer>;
  /** Called when the operator sends or previews the command. */
  readonly onAsk: (name: CommandName) => void;
  /** Called with the name when the card gets the pointer or the focus, with null when it loses it. */
  readonly onLook: (name: CommandName | null) => void;
  readonly announce: (text: string) => void;
}

/** Why a command is not legal now, or which states it would lead to. */
export type Prospect = { readonly reason: string } | { readonly leadsTo: string };

export interface Card {
  readonly element: HTMLElement;
  show(prospect: Prospect, state: State | null): void;
  /** Remove the result of the last attempt. */
  clear(): void;
}

type Fields = readonly (readonly [key: string, field: Field])[];

export function commandCard({ name, send, onAsk, onLook, announce }: CardParts): Card {
  const row: CommandRow = commands[name];
  const fields: Fields = Object.entries(row.input.properties).map(([key, schema]) => [
    key,
    fieldOf(`${name}-${key}`, key, schema, row.input.required.includes(key)),
  ]);
  const prospect = h('p', { id: `${name}-prospect`, class: 'prospect' });
  const outcome = h('div', { class: 'outcome', role: 'status' });
  const about = `${name}-prospect ${name}-summary`;
  const give = h('button', { type: 'submit', class: row.confirm ? 'grave' : null, 'aria-describedby': about }, name);
  const previewButton = h('button', { type: 'button', class: 'plain', 'aria-label': `Preview ${name}` }, 'Preview');
  const form = h(
    'form',
    { novalidate: true, autocomplete: 'off' },
    ...fields.map(([, { element }]) => element),
    h('div', { class: 'give' }, give, fields.length > 0 && previewButton, prospect),
    h('p', { id: `${name}-summary`, class: 'summary' }, row.summary),
    outcome,
  );
  const element = h('li', { class: 'command', 'data-command': name }, form);
  let reason: string | null = null;
  let isUnderWay = false;
  let generation: number | null = null;
  /** The generation that was shown when the operator began to edit; sent as `If-Match`. */
  let meantFor: number | null = null;

  async function ask(dryRun: boolean): Promise<void> {
    if (isUnderWay) return;
    if (reason !== null) return announce(`${name} is not legal now: ${reason}`);
    const body = bodyOf(fields);
    if (body === null) return;
    if (!dryRun && row.confirm && !(await confirmed(`${name}?`, row.confirm, name))) return give.focus();
    isUnderWay = true;
    onAsk(name);
    setAttributes(give, { 'aria-busy': 'true' });
    fill(outcome, h('p', {}, 'Sent, waiting for the answer…'));
    const answer = await send(name, body, { dryRun, ifMatch: meantFor });
    isUnderWay = false;
    setAttributes(give, { 'aria-busy': null });
    fill(outcome, ...(answer.ok ? successOf(answer.document, dryRun) : failureLines(answer.problem)));
    if (!answer.ok) showError(fields, answer.problem);
    // Edits stay and now apply to the current generation: the page has just shown that the node changed.
    if (!answer.ok || dryRun) meantFor = fields.some(([, { isTouched }]) => isTouched) ? generation : null;
    else forget();
  }

  function forget(): void {
    for (const [, field] of fields) field.reset();
    meantFor = null;
  }

  form.addEventListener('input', () => {
    meantFor ??= generation;
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void ask(false);
  });
  previewButton.addEventListener('click', () => void ask(true));
  for (const type of ['pointerenter', 'focusin']) element.addEventListener(type, () => onLook(name));
  for (const type of ['pointerleave', 'focusout']) element.addEventListener(type, () => onLook(null));

  return {
    element,
    show(next, state) {
      reason = 'reason' in next ? next.reason : null;
      generation = state?.generation ?? null;
      setText(prospect, 'reason' in next ? next.reason : next.leadsTo);
      for (const button of [give, previewButton])
        setAttributes(button, { 'aria-disabled': reason === null ? null : 'true' });
      setAttributes(element, { 'data-possible': reason === null ? 'yes' : 'no' });
      const settings: Readonly<Record<string, unknown>> = { ...state?.settings };
      for (const [key, field] of fields) if (state !== null) field.offer(settings[key]);
    },
    clear: () => fill(outcome),
  };
}

/** Null: a field is invalid and shows why. */
function bodyOf(fields: Fields): object | null {
  const body: Record<string, unknown> = {};
  let invalid: Field | null = null;
  for (const [key, field] of fields) {
    try {
      const value = field.read();
      field.showError(null);
      if (value !== undefined) body[key] = value;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      field.showError(error.message);
      invalid ??= field;
    }
  }
  invalid?.element.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  return invalid === null ? body : null;
}

/** Shows each error of a 400 at its field. */
function showError(fields: Fields, problem: Problem | null): void {
  for (const [key, field] of fields) {
    const mine = problem?.errors?.filter(({ path }) => path.split('/')[1] === key) ?? [];
    field.showError(mine.length > 0 ? mine.map(({ path, message }) => `${path} ${message}`).join('; ') : null);
  }
}

function successOf(document: unknown, dryRun: boolean): Child[] {
  if (!dryRun) return [h('p', { class: 'done' }, `Done: ${doneText(document as State)}`)];
  const lines = previewLines(document as Preview);
  return [
    h(
      'div',
      { class: 'previewed' },
      h('p', {}, 'Preview: nothing has changed.'),
      ...lines.map((line) => h('p', {}, line)),
    ),
  ];
}

function failureLines(problem: Problem | null): Child[] {
  const { what, next } = failureOf(problem);
  return [h('p', { class: 'failed' }, h('strong', {}, what), ' ', next)];
}

const doneText = ({ node, publicApi, generation }: State): string =>
  node === 'running'
    ? `public API ${publicApi}, generation ${generation}.`
    : `the node is shutting down, public API ${publicApi}.`;
