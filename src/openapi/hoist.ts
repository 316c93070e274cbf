// Moves repeated headers and responses into components, and refers to them.

import type { PathItem } from './operator-paths.ts';
import type { Answer, Header, Headers } from './response.ts';

type Paths = Readonly<Record<string, PathItem>>;
type Reference = { readonly $ref: string };

export interface Hoisted {
  readonly paths: Paths;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, Header>>;
}

/**
 * Headers keep their name; variants with another description get a number.
 * @param shared answers by their component names
 */
export function hoist(paths: Paths, shared: Readonly<Record<string, Answer>>): Hoisted {
  const names = new Map(Object.entries(shared).map(([name, answer]) => [answer, name]));
  const headers: Record<string, Header> = {};
  const headerNames = new Map<string, string>();

  const headerOf = (name: string, header: Header): Reference => {
    const content = JSON.stringify([name, header]);
    const known = headerNames.get(content) ?? freeName(name, headers);
    headerNames.set(content, known);
    headers[known] = header;
    return { $ref: `#/components/headers/${known}` };
  };
  const headersOf = (all: Headers) =>
    Object.fromEntries(Object.entries(all).map(([name, header]) => [name, headerOf(name, header)]));
  const lean = ({ headers: own, ...answer }: Answer) => ({ ...answer, ...(own && { headers: headersOf(own) }) });
  const answerOf = (answer: Answer) => {
    const name = names.get(answer);
    return name === undefined ? lean(answer) : { $ref: `#/components/responses/${name}` };
  };
  const operationOf = (operation: unknown): unknown => {
    if (!hasResponses(operation)) return operation;
    const responses = Object.entries(operation.responses).map(([status, answer]) => [status, answerOf(answer)]);
    return { ...operation, responses: Object.fromEntries(responses) };
  };
  const itemOf = (item: PathItem): PathItem =>
    Object.fromEntries(Object.entries(item).map(([key, member]) => [key, operationOf(member)]));

  return {
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, itemOf(item)])),
    responses: Object.fromEntries(Object.entries(shared).map(([name, answer]) => [name, lean(answer)])),
    headers,
  };
}

function freeName(name: string, taken: object): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!(candidate in taken)) return candidate;
  }
}

const hasResponses = (value: unknown): value is { readonly responses: Readonly<Record<string, Answer>> } =>
  typeof value === 'object' && value !== null && 'responses' in value;
