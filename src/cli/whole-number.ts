// Whole numbers on the command line.
import { InvalidArgumentError } from 'commander';

/** Reads decimal digits and nothing else. What it returns throws an {InvalidArgumentError} for any other number. */
export const wholeNumber =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
