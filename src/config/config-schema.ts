// What a value of each config key must be, as a JSON Schema and in words.
import { compile, type Validate } from '../base/validate.ts';
import { type Key, keys } from './keys.ts';

const sizePattern = /^[0-9]+[BKMGT]$/;

/** `500G` → bytes. Units are powers of 1024. */
export function bytesOf(size: string | number): number {
  if (typeof size === 'number') return size;
  return Number.parseInt(size, 10) * 1024 ** 'BKMGT'.indexOf(size.at(-1) ?? 'B');
}

/** A bucket id by the looser of two rules: the kind of directory decides later which one holds. */
const isName = (value: string): boolean => /^\P{Cc}{1,128}$/u.test(value);

const formats = {
  name: isName,
  host: (value: string) => /^[^\s/?#@*]+$/.test(value),
  text: (value: string) => /^\P{Cc}+$/u.test(value),
  size: (value: string) => sizePattern.test(value) && Number.isSafeInteger(bytesOf(value)),
};

interface Section {
  type: 'object';
  additionalProperties: false;
  properties: Record<string, object>;
}

/** The whole config file as JSON Schema. */
function configSchema(): object {
  const root = emptySection();
  for (const [path, key] of Object.entries<Key>(keys)) {
    const words = path.split('.');
    const last = words.pop() ?? path;
    let section = root;
    for (const word of words) {
      section.properties[word] ??= emptySection();
      section = section.properties[word] as Section;
    }
    section.properties[last] = schemaOf(key);
  }
  return root;
}

const emptySection = (): Section => ({ type: 'object', additionalProperties: false, properties: {} });

function schemaOf({ type, minimum, maximum, minItems, oneOf }: Key): object {
  switch (type) {
    case 'integer':
      return { type: 'integer', ...given({ minimum, maximum }) };
    case 'size':
      return {
        anyOf: [
          { type: 'integer', minimum, maximum: Number.MAX_SAFE_INTEGER },
          { type: 'string', format: type },
        ],
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'strings':
      return { type: 'array', items: { type: 'string', format: 'name' }, uniqueItems: true, ...given({ minItems }) };
    case 'hosts':
      return { type: 'array', items: { type: 'string', format: 'host' } };
    case 'list':
      return { type: 'array' };
    default:
      return oneOf ? { enum: oneOf } : { type: 'string', format: 'text' };
  }
}

const given = (entries: Record<string, number | undefined>) =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));

/** What a value of this key must be, for a message that begins with «must be». */
export function demandOf({ type, minimum, maximum, minItems, oneOf, unit }: Key): string {
  const from = minimum === undefined ? '' : ` from ${minimum}`;
  const to = maximum === undefined ? '' : ` to ${maximum}`;
  switch (type) {
    case 'integer':
      return `a whole number${from}${to}${unit ? ` (${unit})` : ''}`;
    case 'size':
      return `a number of bytes${minimum ? ` of ${minimum} or more` : ''}, or a size like 500G (units B K M G T)`;
    case 'boolean':
      return 'true or false';
    case 'strings':
      return `a list of ${minItems ? 'at least one ' : ''}different strings, like ["1:0", "1:1"] (write numbers in quotes)`;
    case 'hosts':
      return 'a list of names or addresses, like ["node.example", "192.0.2.7"]';
    case 'list':
      return 'a list';
    default:
      return oneOf ? `one of ${oneOf.join(', ')}` : 'a text in one line, not empty (write numbers in quotes)';
  }
}

let validate: Validate | undefined;

/** All errors in a config. Compiled at first use: most subcommands never need it. */
export const configErrors: Validate = (value) => {
  validate ??= compile(configSchema(), formats);
  return validate(value);
};
