// The part of the client that tests use: it comes without types.
declare module 'swagger-client' {
  export interface ClientAnswer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly text: string;
    readonly body: unknown;
  }
  export interface CallOptions {
    readonly server?: string;
    readonly serverVariables?: Readonly<Record<string, string>>;
    readonly requestBody?: unknown;
    readonly responseContentType?: string;
  }
  export type Call = (parameters?: Readonly<Record<string, unknown>>, options?: CallOptions) => Promise<ClientAnswer>;
  export interface Client {
    readonly errors: readonly unknown[];
    /** By tag and operationId. */
    readonly apis: Readonly<Record<string, Readonly<Record<string, Call>>>>;
  }
  export interface ClientOptions {
    readonly url: string;
    readonly userFetch?: typeof fetch;
    readonly authorizations?: Readonly<Record<string, { readonly value: string }>>;
    readonly responseInterceptor?: (answer: ClientAnswer & { readonly url: string }) => unknown;
  }
  export default function client(options: ClientOptions): Promise<Client>;
}
