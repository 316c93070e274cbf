// Answers errors with problem documents (RFC 9457), and logs unexpected ones without tokens.
import { STATUS_CODES } from 'node:http';
import type Koa from 'koa';
import { Problem } from '../../base/errors.ts';
import type { Logger } from '../../log/log.ts';
import { loggedPath } from './logged-path.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & Partial<Pick<Logger, 'http'>>;

/**
 * A problem of type `about:blank`, whose title is the reason phrase of the status.
 * Every 400 has `errors`; by default one for the whole request.
 */
export function problem(status: number, detail: string, more: ConstructorParameters<typeof Problem>[3] = {}): Problem {
  const errors = status === 400 && { errors: [{ path: '', message: detail }] };
  return new Problem(status, STATUS_CODES[status] ?? 'Error', detail, {
    ...more,
    members: { ...errors, ...more.members },
  });
}

/** Koa middleware around all checks; only logging and metrics are outside, to see the answer. */
export function answerProblems(log: Log): Koa.Middleware {
  return async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      await next();
    } catch (error) {
      const problem = error instanceof Problem ? error : unexpected(log, ctx, error);
      ctx.state.problem = problem;
      answer(ctx, problem);
    }
  };
}

function unexpected(log: Log, ctx: Koa.Context, error: unknown): Problem {
  const { requestId } = ctx.state;
  const request = { requestId, method: ctx.method, path: loggedPath(ctx.url) };
  log.error({ err: error, ...request }, 'The operator API could not answer a request');
  const members = { requestId };
  return problem(500, 'Something went wrong inside the node; its log says what', { members, cause: error });
}

function answer(ctx: Koa.Context, { status, title, message, members, headers }: Problem): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.set('Content-Type', 'application/problem+json');
  // `message` is what existing clients of this API read.
  ctx.body = JSON.stringify({ type: 'about:blank', title, status, detail: message, message, ...members });
}
