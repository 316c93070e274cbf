// The config reference as Markdown, written from the table of keys.
import { envNameOf, type Key, type KeyName, keyNames, keys } from './keys.ts';

const prefix = 'DISTRIBUTOR__';

/** One table for each section of the file, and one for the keys that have no effect. */
export function configReference(): string {
  const isUnused = (name: KeyName): boolean => 'unused' in keys[name];
  const used = keyNames.filter((name) => !isUnused(name));
  const sections = [...new Set(used.map(sectionOf))];
  return [
    ...sections.flatMap((section) =>
      sectionText(
        section,
        used.filter((name) => sectionOf(name) === section),
      ),
    ),
    '### Accepted without effect',
    '',
    'These keys have no effect: keys of the node this one replaces, and former keys whose values are now fixed. A config file',
    'that has them can be used unchanged; `start` lists the ones it finds.',
    '',
    '| key | type | what it is | environment |',
    '| --- | --- | --- | --- |',
    ...keyNames.filter(isUnused).map((name) => row(name, typeWords(keys[name]), keys[name].about)),
    '',
  ].join('\n');
}

/** The first word of a key that has several; `''` for the keys at the top of the file. */
const sectionOf = (name: KeyName): string => (name.includes('.') ? name.slice(0, name.indexOf('.')) : '');

const sectionText = (section: string, names: readonly KeyName[]): string[] => [
  section === '' ? '### The node' : `### ${section}`,
  '',
  '| key | type | default | what it is | environment |',
  '| --- | --- | --- | --- | --- |',
  ...names.map((name) => row(name, typeWords(keys[name]), defaultWords(name), keys[name].about)),
  '',
];

const row = (name: KeyName, ...cells: readonly string[]): string =>
  `| ${[`\`${name}\``, ...cells, `\`${prefix}${envNameOf(name)}\``].join(' | ')} |`;

function typeWords({ type, unit, oneOf }: Key): string {
  const words = type === 'strings' || type === 'hosts' ? 'list of strings' : type;
  if (oneOf) return oneOf.map((word) => `\`${word}\``).join(' ');
  return unit && type !== 'size' ? `${words}, ${unit}` : words;
}

function defaultWords(name: KeyName): string {
  const key: Key = keys[name];
  if (key.defaultWords) return key.defaultWords;
  if (key.default === undefined) return 'unset';
  return `\`${key.type === 'size' ? sizeWords(Number(key.default)) : display(key.default)}\``;
}

const display = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function sizeWords(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let power = 0;
  while (bytes % 1024 ** (power + 1) === 0 && power < units.length - 1) power += 1;
  return `${bytes / 1024 ** power}${units[power]}`;
}
