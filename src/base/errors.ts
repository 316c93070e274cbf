// Every error that an operator or client may see: its status, its public words, and what stays private.

/** A request that is answered with a problem document (RFC 9457). `cause` stays in the log. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** Short, the same for every occurrence of this problem. */
  readonly title: string;
  /** Members of the problem document beyond the standard ones. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: { members?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.title = title;
    this.members = more.members ?? {};
    this.headers = more.headers ?? {};
  }
}

/** Something in a file, an option or an environment variable that its author has to mend. One line an entry. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** Nothing that speaks HTTP answered where the operator API should be. */
export class NotReachable extends Error {
  override readonly name = 'NotReachable';
}

/** No answer in time. The command may have been carried out all the same. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** The words of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system error (`EADDRINUSE`, `ENOSPC`), or undefined. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
