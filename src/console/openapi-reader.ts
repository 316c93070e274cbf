// The parts of an OpenAPI 3.1 document that the reference page reads.
import type { Schema } from './schema-text.ts';

export interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
}

export interface Message {
  readonly $ref?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Server {
  readonly url: string;
}

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Message;
  readonly responses?: Readonly<Record<string, Message>>;
  readonly servers?: readonly Server[];
  readonly 'x-codeSamples'?: readonly { readonly lang: string; readonly label?: string; readonly source: string }[];
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers?: readonly Server[];
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
export type PathItem = { readonly [M in Method]?: Operation } & {
  readonly servers?: readonly Server[];
  readonly parameters?: readonly Parameter[];
};

export interface Entry {
  /** Fragment identifier for links. */
  readonly id: string;
  readonly method: Method;
  readonly path: string;
  /** Base URL of the path: `http://localhost:3335/api/v1`. */
  readonly base: string;
  readonly operation: Operation;
}

const methods: readonly Method[] = ['get', 'head', 'post', 'put', 'patch', 'delete'];

/** Every operation, in document order. */
export function entriesOf({ paths, servers }: ApiDocument): Entry[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      const base = (operation?.servers ?? item.servers ?? servers)?.[0]?.url ?? '';
      // The operations of a path share its parameters (OpenAPI 3.1 §4.8.9.1).
      const parameters = [...(item.parameters ?? []), ...(operation?.parameters ?? [])];
      const id = `${method} ${path}`.replace(/\W+/g, '-').replace(/-$/, '');
      return operation ? [{ id, method, path, base, operation: { ...operation, parameters } }] : [];
    }),
  );
}

/** Resolves a local `$ref`; returns anything else unchanged. */
export function resolved<T extends { readonly $ref?: string }>(document: ApiDocument, one: T): T {
  if (one.$ref === undefined) return one;
  let at: unknown = document;
  for (const part of one.$ref.replace(/^#\//, '').split('/')) at = (at as Record<string, unknown>)[part];
  return at as T;
}
