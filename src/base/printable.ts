// Escapes text for a terminal: no control sequences, bells, or changes of writing direction.

/** Control characters (C0 and C1), direction marks and other invisible characters, including line breaks. */
const unseen = /[\p{C}\u2028\u2029]/gu;

/** A single line: line breaks are escaped too. */
export const printable = (text: string): string => text.replace(unseen, '?');

/** Several lines: line breaks are kept. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Equivalent JSON with every such character escaped. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(/[^\P{C}\n]|[\u2028\u2029]/gu, escaped);

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16).padStart(4, '0'))
    .map((digits) => `\\u${digits}`)
    .join('');
