// The name of a request: the client's own where it is one that a log can hold, else made here; in its answer and in log lines.
import { randomUUID } from 'node:crypto';

/** What one may be that a client has chosen, as a regular expression. */
export const requestIdPattern = '^[\\w.:-]{1,64}$';

const fits = new RegExp(requestIdPattern);

export const requestIdHeader = 'X-Request-Id';

/** @param sent the header as it came; several of them are joined by Node and are none */
export const requestIdOf = (sent: string | string[] | undefined): string =>
  typeof sent === 'string' && fits.test(sent) ? sent : randomUUID();
