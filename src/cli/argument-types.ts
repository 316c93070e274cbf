// Parsers for values on the command line: whole numbers, and durations such as `500ms`, `30s`, `15m`, `12h` or `7d`.
import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * In milliseconds.
 * @throws {InvalidArgumentError} also for a number without a unit, which would be ambiguous
 */
export function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const time = Number(digits) * (units[unit] ?? Number.NaN);
  if (time > 0 && Number.isSafeInteger(time)) return time;
  throw new InvalidArgumentError('It must be a number with a unit, like 500ms, 30s, 15m, 12h or 7d.');
}

/** The longest delay of a timer: 24 days. */
const longestTimeoutMs = 2_147_483_647;

/** A duration that a timer can wait for. */
export function parseTimeout(text: string): number {
  const time = parseDuration(text);
  if (time <= longestTimeoutMs) return time;
  throw new InvalidArgumentError('It must be 24 days or less.');
}

/** A parser that accepts decimal digits only. It throws an {InvalidArgumentError} for a number outside the range. */
export const wholeNumber =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
