// Text as a terminal may be given it: nothing in it moves the cursor, rings, recolours, or turns the writing around.

/** Control characters of both sets, marks of direction and all else that is not seen; ends of lines among them. */
const unseen = /[\p{C}\u2028\u2029]/gu;

/** One line, whoever has written the text. */
export const printable = (text: string): string => text.replace(unseen, '?');

/** A text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** JSON that says the same, with every such character as an escape. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(/[^\P{C}\n]|[\u2028\u2029]/gu, escaped);

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16).padStart(4, '0'))
    .map((digits) => `\\u${digits}`)
    .join('');
