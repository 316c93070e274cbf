// The errors of a catalogue as lines: `catalogue.yml:12: objects[3].buckets: must be array`.
import type { ValuePath } from '../../base/yaml.ts';

/** Errors beyond this number are only counted. */
export const maxErrors = 20;

/** `objects[3].buckets`. */
export const printPath = (path: ValuePath): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at > 0 ? '.' : ''}${step}`)).join('');

/** `catalogue.yml:12: objects[3].buckets: must be array`; '' is the path of the whole value. */
export const errorLine = (file: string, line: number, path: string, message: string): string =>
  `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`;

/** A number where digits in quotes are needed is a common mistake. */
export const hintedMessage = (message: string, value: unknown): string =>
  typeof value === 'number' && message === 'must be string' ? `${message}: put it in quotes` : message;

/** Lists the first errors and counts the rest. */
export class ErrorList {
  readonly #file: string;
  readonly #lines: string[] = [];
  #count = 0;

  /** @param file the catalogue's name, without its folder */
  constructor(file: string) {
    this.#file = file;
  }

  add(line: string): void {
    this.#count += 1;
    if (this.#lines.length < maxErrors) this.#lines.push(line);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get lines(): readonly string[] {
    const more = this.#count - this.#lines.length;
    return more > 0 ? [...this.#lines, `${this.#file}: … and ${more} more`] : this.#lines;
  }
}
