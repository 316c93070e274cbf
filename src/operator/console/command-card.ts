// One command on the page: its fields, its button, why it is not possible now, and how the last try ended.
import { type CommandName, commands } from '../../../machines/commands.ts';
import type { Answer, Problem } from './api.ts';
import { confirmed } from './confirm.ts';
import { fill, h, setAttributes, setText } from './dom.ts';
import { failureOf } from './failures.ts';
import { type Field, fieldOf, type PropertySchema } from './fields.ts';
import type { State } from './model.ts';

export interface CardParts {
  readonly name: CommandName;
  readonly send: (name: CommandName, body: object) => Promise<Answer>;
  /** The operator looks at it, or no more. */
  readonly onLook: (name: CommandName | null) => void;
  readonly announce: (text: string) => void;
}

/** Why a command cannot be given now, or where it would lead. */
export type Prospect = { readonly reason: string } | { readonly leadsTo: string };

export interface Card {
  readonly element: HTMLElement;
  show(prospect: Prospect, state: State | null): void;
}

interface Row {
  readonly summary: string;
  readonly confirm?: string;
  readonly input: {
    readonly properties: Readonly<Record<string, PropertySchema>>;
    readonly required: readonly string[];
  };
}

export function commandCard({ name, send, onLook, announce }: CardParts): Card {
  const row: Row = commands[name];
  const fields = Object.entries(row.input.properties).map(
    ([key, schema]) => [key, fieldOf(`${name}-${key}`, key, schema, row.input.required.includes(key))] as const,
  );
  const prospect = h('p', { id: `${name}-prospect`, class: 'prospect' });
  const summary = h('p', { id: `${name}-summary`, class: 'summary' }, row.summary);
  const outcome = h('div', { class: 'outcome', role: 'status' });
  const button = h(
    'button',
    { type: 'submit', class: row.confirm ? 'grave' : null, 'aria-describedby': `${name}-prospect ${name}-summary` },
    name,
  );
  const form = h(
    'form',
    { novalidate: true, autocomplete: 'off' },
    ...fields.map(([, { element }]) => element),
    h('div', { class: 'give' }, button, prospect),
    summary,
    outcome,
  );
  const element = h('li', { class: 'command', 'data-command': name }, form);
  let reason: string | null = null;
  let isUnderWay = false;

  async function give(): Promise<void> {
    if (isUnderWay) return;
    if (reason !== null) return announce(`${name} is not possible now: ${reason}`);
    const body = bodyOf(fields);
    if (body === null) return;
    if (row.confirm && !(await confirmed(`${name}?`, row.confirm, name))) return button.focus();
    isUnderWay = true;
    setAttributes(button, { 'aria-busy': 'true' });
    fill(outcome, h('p', {}, 'Asked; waiting for the answer…'));
    const answer = await send(name, body);
    isUnderWay = false;
    setAttributes(button, { 'aria-busy': null });
    for (const [, field] of fields) if (answer.ok) field.reset();
    tell(answer);
  }

  function tell(answer: Answer): void {
    if (answer.ok) {
      fill(outcome, h('p', { class: 'done' }, `Done: ${doneText(answer.document)}`));
    } else {
      const { what, next } = failureOf(answer.problem);
      fill(outcome, h('p', { class: 'failed' }, h('strong', {}, what), ' ', next));
      blame(fields, answer.problem);
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void give();
  });
  for (const type of ['pointerenter', 'focusin']) element.addEventListener(type, () => onLook(name));
  for (const type of ['pointerleave', 'focusout']) element.addEventListener(type, () => onLook(null));

  return {
    element,
    show(next, state) {
      reason = 'reason' in next ? next.reason : null;
      setText(prospect, 'reason' in next ? next.reason : `leads to ${next.leadsTo}`);
      setAttributes(button, { 'aria-disabled': reason === null ? null : 'true' });
      setAttributes(element, { 'data-possible': reason === null ? 'yes' : 'no' });
      const settings: Readonly<Record<string, unknown>> = { ...state?.settings };
      for (const [key, field] of fields) if (state !== null) field.offer(settings[key]);
    },
  };
}

/** Null: a field is not as it must be, and says so. */
function bodyOf(fields: readonly (readonly [string, Field])[]): object | null {
  const body: Record<string, unknown> = {};
  let faulty: Field | null = null;
  for (const [key, field] of fields) {
    try {
      const value = field.read();
      field.blame(null);
      if (value !== undefined) body[key] = value;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      field.blame(error.message);
      faulty ??= field;
    }
  }
  faulty?.element.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  return faulty === null ? body : null;
}

/** The faults of a 400, each at its field. */
function blame(fields: readonly (readonly [string, Field])[], problem: Problem | null): void {
  for (const [key, field] of fields) {
    const mine = problem?.errors?.filter(({ path }) => path.split('/')[1] === key) ?? [];
    field.blame(mine.length > 0 ? mine.map(({ path, message }) => `${path} ${message}`).join('; ') : null);
  }
}

function doneText(document: unknown): string {
  const { node, publicApi, generation } = document as State;
  return node === 'running'
    ? `public API ${publicApi}, generation ${generation}.`
    : `the node is shutting down, public API ${publicApi}.`;
}
