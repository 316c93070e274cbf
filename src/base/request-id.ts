// The id of a request, used in its answer and in log lines: the client's own if valid, else generated.
import { randomUUID } from 'node:crypto';

/** A valid id from a client, as a regular expression. */
export const requestIdPattern = '^[\\w.:-]{1,64}$';

const fits = new RegExp(requestIdPattern);

export const requestIdHeader = 'X-Request-Id';

/** @param sent the header as received; Node joins repeated headers, which makes them invalid */
export const requestIdOf = (sent: string | string[] | undefined): string =>
  typeof sent === 'string' && fits.test(sent) ? sent : randomUUID();
