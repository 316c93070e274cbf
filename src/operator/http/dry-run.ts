// The query parameter `dryRun`: preview a command without carrying it out.
import leven from 'leven';
import { problem } from './problems.ts';

const name = 'dryRun';

/** @param query as sent, without the question mark */
export const isDryRun = (query: string): boolean => {
  const values = new URLSearchParams(query).getAll(name);
  return values.length === 1 && values[0] === 'true';
};

/**
 * Unknown parameters are ignored, but a misspelt `dryRun` must not carry out the command.
 * @throws {Problem} 400
 */
export function checkDryRun(query: string): void {
  const parameters = new URLSearchParams(query);
  const values = parameters.getAll(name);
  const isRight = values.length === 0 || (values.length === 1 && /^(true|false)$/.test(values[0] ?? ''));
  if (!isRight) throw problem(400, `${name} must be true or false, once`);
  const misspelt = [...parameters.keys()].find((other) => other !== name && looksLikeIt(other));
  if (misspelt !== undefined)
    throw problem(400, `${JSON.stringify(misspelt.slice(0, 100))} is no parameter; did you mean ${name}?`);
}

function looksLikeIt(other: string): boolean {
  const letters = other
    .slice(0, 20)
    .toLowerCase()
    .replace(/[^a-z]/g, '');
  return letters.includes('dry') || leven(letters, name.toLowerCase()) <= 2;
}
