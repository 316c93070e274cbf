// The config reference as Markdown, written from the table of keys.
import { type Key, type KeyName, keyNames, keys } from './keys.ts';

/** Two tables: the keys with a meaning, and those that are taken for the sake of existing config files. */
export function configReference(): string {
  const [used, unused] = [false, true].map((wanted) => keyNames.filter((name) => 'unused' in keys[name] === wanted));
  return [
    '| key | type | default | what it is |',
    '| --- | --- | --- | --- |',
    ...(used ?? []).map(
      (name) => `| \`${name}\` | ${typeWords(keys[name])} | ${defaultWords(name)} | ${keys[name].about} |`,
    ),
    '',
    'Taken so that an existing config file can be handed over unchanged, without a meaning yet (`start` names them once):',
    '',
    '| key | type | what it is |',
    '| --- | --- | --- |',
    ...(unused ?? []).map((name) => `| \`${name}\` | ${typeWords(keys[name])} | ${keys[name].about} |`),
    '',
  ].join('\n');
}

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
