// Errors that an operator or client may see: status, public text, and private cause.

/** A request that is answered with a problem document (RFC 9457). `cause` stays in the log. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** Short; the same for every occurrence of this problem. */
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

/** Invalid input in a file, an option or an environment variable. One line per error. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** No HTTP server answered at the URL of the operator API. */
export class NotReachable extends Error {
  override readonly name = 'NotReachable';
}

/** The answer timed out. The command may still have been carried out. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system error (`EADDRINUSE`, `ENOSPC`), or undefined. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
