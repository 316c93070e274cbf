// Form fields made from the schema in a command's row: a new row needs nothing here.
import type { PropertySchema } from '../../machines/commands.ts';
import { h, setAttributes, setText } from './dom.ts';

type Of<T extends PropertySchema['type']> = Extract<PropertySchema, { type: T }>;

export interface Field {
  readonly element: HTMLElement;
  /** Undefined: left out. */
  read(): unknown;
  /** What the node has now; what the operator has begun to write stays. */
  offer(value: unknown): void;
  /** From now on what the node has is shown again. */
  reset(): void;
  /** Null: nothing is wrong with it. */
  blame(message: string | null): void;
  /** Whether the operator has begun to write. */
  readonly isTouched: boolean;
}

/** @throws {RangeError} with words for the operator, from `read`, where it cannot be what the schema asks for */
export function fieldOf(id: string, name: string, schema: PropertySchema, required: boolean): Field {
  switch (schema.type) {
    case 'integer':
      return integerField(id, name, schema, required);
    case 'array':
      return listField(id, name, schema, required);
  }
}

function integerField(id: string, name: string, schema: Of<'integer'>, required: boolean): Field {
  const input = h('input', {
    id,
    name,
    type: 'text',
    inputmode: 'numeric',
    autocomplete: 'off',
    'aria-describedby': `${id}-about ${id}-fault`,
    'aria-required': required ? 'true' : null,
  });
  const label = h('label', { for: id }, name);
  const write = (value: unknown): void => {
    input.value = value === null || value === undefined ? '' : String(value);
  };
  return dressed(id, schema, input, [label, input], {
    write,
    read() {
      const text = input.value.trim();
      if (text === '' && !required) return undefined;
      const { minimum, maximum } = schema;
      const value = Number(text);
      if (!/^-?\d+$/.test(text) || value < minimum || value > maximum) {
        throw new RangeError(
          maximum === Number.MAX_SAFE_INTEGER
            ? `A whole number from ${minimum} on is needed.`
            : `A whole number from ${minimum} to ${maximum} is needed.`,
        );
      }
      return value;
    },
  });
}

/** A list that may be left out is left out on purpose: an empty box does not mean «all». */
function listField(id: string, name: string, schema: Of<'array'>, required: boolean): Field {
  const box = h('textarea', {
    id,
    name,
    rows: 2,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    'aria-describedby': `${id}-about ${id}-fault`,
  });
  const all = h('input', { type: 'radio', name: `${id}-which`, value: 'all' });
  const these = h('input', { type: 'radio', name: `${id}-which`, value: 'these' });
  const choice = h(
    'fieldset',
    { class: 'choice' },
    h('legend', {}, name),
    h('label', {}, all, ` ${wordsOf(schema).absent}`),
    h('label', {}, these, ' these:'),
  );
  box.addEventListener('input', () => {
    these.checked = true;
  });
  if (required) these.checked = true;
  setAttributes(box, { 'aria-label': `${name}, one a line or separated by blanks` });
  const parts = required ? [h('label', { for: id }, name), box] : [choice, box];
  const write = (value: unknown): void => {
    const list = Array.isArray(value) ? value : [];
    all.checked = !required && list.length === 0;
    these.checked = !all.checked;
    box.value = list.join('\n');
  };
  return dressed(id, schema, box, parts, {
    write,
    read() {
      if (all.checked) return undefined;
      const items = box.value.split(/[\s,]+/).filter((item) => item !== '');
      if (items.length > 0) return items;
      throw new RangeError(required ? 'At least one is needed.' : 'Name at least one, or choose that it is left out.');
    },
  });
}

/** A description says after a semicolon what leaving it out means: `bucket ids; left out: all buckets of the worker`. */
function wordsOf({ description }: PropertySchema): { readonly about: string; readonly absent: string } {
  const [about = '', absent = 'left out'] = description.split('; left out: ');
  return { about, absent };
}

/** What every field has: its explanation, room for a fault, and a memory of whether the operator has touched it. */
function dressed(
  id: string,
  schema: PropertySchema,
  control: HTMLInputElement | HTMLTextAreaElement,
  parts: readonly HTMLElement[],
  { write, read }: { readonly write: (value: unknown) => void; readonly read: () => unknown },
): Field {
  const fault = h('p', { id: `${id}-fault`, class: 'fault' });
  const element = h(
    'div',
    { class: 'field' },
    ...parts,
    h('p', { id: `${id}-about`, class: 'about' }, wordsOf(schema).about),
    fault,
  );
  let isTouched = false;
  element.addEventListener('input', () => {
    isTouched = true;
  });
  return {
    element,
    read,
    get isTouched() {
      return isTouched;
    },
    offer(value) {
      if (!isTouched) write(value);
    },
    reset() {
      isTouched = false;
    },
    blame(message) {
      setText(fault, message ?? '');
      setAttributes(control, { 'aria-invalid': message === null ? null : 'true' });
    },
  };
}
