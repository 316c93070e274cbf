// The path of a request for the log: without query and tokens, and truncated.
import { excerpt } from '../../log/log.ts';

const longestPath = 300;

/**
 * Not `ctx.path`: Koa's parser may take quadratic time on an unchecked target.
 * The query is dropped because it may hold a secret.
 */
export const loggedPath = (url: string): string => excerpt(url.split('?', 1)[0] ?? '', longestPath);
