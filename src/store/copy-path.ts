// Where the copy of an object is in the cache directory.
import { join } from 'node:path';

const idPattern = /^[0-9]{1,200}$/;
const partSuffix = '.part';

/** Whether the id can be the name of a file: file systems allow 255 bytes. */
export const canBeCopied = (id: string): boolean => idPattern.test(id);

/**
 * Copies are in folders by the last two digits of the id: consecutive ids differ there, so files spread evenly.
 * @param assets absolute path of the cache directory
 * @returns `{assets}/42/1042`, `{assets}/07/7`
 */
export const copyPath = (assets: string, id: string): string => join(assets, copyFolder(id), id);

/** Name of the folder in the cache directory: two digits. */
export const copyFolder = (id: string): string => id.slice(-2).padStart(2, '0');

/** Path of the file of a copy that is arriving. */
export const partPath = (assets: string, id: string): string => copyPath(assets, id) + partSuffix;

/** The id of the object whose copy or part has this file name; null: it is the name of neither. */
export function copyOfName(name: string): { readonly id: string; readonly isPart: boolean } | null {
  const isPart = name.endsWith(partSuffix);
  const id = isPart ? name.slice(0, -partSuffix.length) : name;
  return canBeCopied(id) ? { id, isPart } : null;
}
