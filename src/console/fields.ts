// Form fields generated from the JSON schema of a command: a new command needs no change here.
import type { PropertySchema } from '../../machines/commands.ts';
import { h, setAttributes, setText } from './dom.ts';

type Of<T extends PropertySchema['type']> = Extract<PropertySchema, { type: T }>;

export interface Field {
  readonly element: HTMLElement;
  /** Undefined: the property is left out. */
  read(): unknown;
  /** Show the current value, unless the operator has begun to edit. */
  offer(value: unknown): void;
  /** Discard edits: show current values again. */
  reset(): void;
  /** Null: remove the error. */
  showError(message: string | null): void;
  /** Whether the operator has begun to edit. */
  readonly isTouched: boolean;
}

/** `read` throws a RangeError with a message for the operator if the input does not match the schema. */
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
    'aria-describedby': `${id}-about ${id}-error`,
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
            ? `Enter a whole number, ${minimum} or more.`
            : `Enter a whole number from ${minimum} to ${maximum}.`,
        );
      }
      return value;
    },
  });
}

/** Leaving out an optional list takes a deliberate choice: an empty box does not mean "all". */
function listField(id: string, name: string, schema: Of<'array'>, required: boolean): Field {
  const box = h('textarea', {
    id,
    name,
    rows: 2,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    'aria-describedby': `${id}-about ${id}-error`,
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
  setAttributes(box, { 'aria-label': `${name}, separated by spaces or newlines` });
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
      throw new RangeError(
        required ? 'Enter at least one.' : `Enter at least one, or choose “${wordsOf(schema).absent}”.`,
      );
    },
  });
}

/** A description ends with the meaning of leaving the property out: `bucket ids; left out: all buckets of the worker`. */
function wordsOf({ description }: PropertySchema): { readonly about: string; readonly absent: string } {
  const [about = '', absent = 'left out'] = description.split('; left out: ');
  return { about, absent };
}

/** Adds what every field has: a description, an error message, and whether it was edited. */
function dressed(
  id: string,
  schema: PropertySchema,
  control: HTMLInputElement | HTMLTextAreaElement,
  parts: readonly HTMLElement[],
  { write, read }: { readonly write: (value: unknown) => void; readonly read: () => unknown },
): Field {
  const error = h('p', { id: `${id}-error`, class: 'error' });
  const element = h(
    'div',
    { class: 'field' },
    ...parts,
    h('p', { id: `${id}-about`, class: 'about' }, wordsOf(schema).about),
    error,
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
    showError(message) {
      setText(error, message ?? '');
      setAttributes(control, { 'aria-invalid': message === null ? null : 'true' });
    },
  };
}
