// Divides a stream of bytes into lines of UTF-8 text, in memory bounded by the longest line allowed.
import { isUtf8 } from 'node:buffer';

export type TextLine = { readonly number: number } & ({ readonly text: string } | { readonly fault: string });

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from('\ufeff');

/**
 * Omits blank lines, a byte order mark and the CR of CRLF.
 * @param chunks each is consumed before the next one is requested
 * @returns the lines that end in each chunk
 */
export async function* textLines(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<TextLine[]> {
  /** The start of a line whose end has not been read; null: too long to keep. */
  let begun: Buffer | null = Buffer.alloc(0);
  let number = 1;

  /** @param end without the line feed */
  function* lineOf(end: Buffer): Generator<TextLine> {
    const isTooLong = begun === null || begun.length + end.length > maxLineBytes;
    const bytes = isTooLong || begun === null || begun.length === 0 ? end : Buffer.concat([begun, end]);
    if (isTooLong) yield { number, fault: `has more than ${maxLineBytes} bytes` };
    else {
      const text = textOf(bytes, number === 1);
      if (text === null) yield { number, fault: 'is not UTF-8 text' };
      else if (text.trim() !== '') yield { number, text };
    }
    begun = Buffer.alloc(0);
    number += 1;
  }

  for await (const chunk of chunks) {
    const lines: TextLine[] = [];
    let at = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, at)) {
      lines.push(...lineOf(chunk.subarray(at, end)));
      at = end + 1;
    }
    const rest = chunk.length - at;
    if (begun !== null && rest > 0) {
      begun = begun.length + rest > maxLineBytes ? null : Buffer.concat([begun, chunk.subarray(at)]);
    }
    yield lines;
  }
  if (begun === null || begun.length > 0) yield [...lineOf(Buffer.alloc(0))];
}

function textOf(line: Buffer, isFirst: boolean): string | null {
  if (!isUtf8(line)) return null;
  const start = isFirst && line.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0;
  const end = line[line.length - 1] === carriageReturn ? line.length - 1 : line.length;
  return line.toString('utf8', start, end);
}
