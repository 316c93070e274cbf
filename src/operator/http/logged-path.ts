// The path of a request as it may be logged: without its query, in a sane length, and without tokens.
import { excerpt } from '../../log/log.ts';

const longestPath = 300;

/**
 * Koa's `ctx.path` is not asked for it: over a target that has not been checked yet, its parser may take quadratic time.
 * The query has little meaning here, and may hold a secret.
 */
export const loggedPath = (url: string): string => excerpt(url.split('?', 1)[0] ?? '', longestPath);
