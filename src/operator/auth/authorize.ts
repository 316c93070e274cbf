// Authorizes requests: the token, its scope, and that a request token is used once, for its own request.
import type Koa from 'koa';
import type { Problem } from '../../base/errors.ts';
import { problem } from '../http/problems.ts';
import { type Body, type Token, TokenRefused, type TokenRules, verifyToken } from './tokens.ts';
import type { UsedTokens } from './used-tokens.ts';

const realm = 'Bearer realm="distributor-node operator API"';

/**
 * The token of this request: header, signature, times, URL and audience.
 * @throws {Problem} 401
 */
export async function authorize(ctx: Koa.Context, rules: TokenRules): Promise<Token> {
  return verifyToken(bearerOf(ctx), ctx.url, rules).catch((error: unknown) => {
    throw error instanceof TokenRefused ? invalidToken(error.message, error.cause) : error;
  });
}

/**
 * Checks that the token may send commands.
 * @throws {Problem} 403
 */
export function checkScope({ scope }: Token): void {
  if (scope === 'operate') return;
  const challenge = `${realm}, error="insufficient_scope", scope="operate"`;
  throw problem(403, 'The token is for reading only', { headers: { 'WWW-Authenticate': challenge } });
}

/** RFC 6750 §3.1: without a token, the challenge names only the scheme. */
function bearerOf(ctx: Koa.Context): string {
  const header = ctx.get('Authorization');
  const [, token] = /^bearer +([^ ]+)$/i.exec(header.trim()) ?? [];
  if (token !== undefined) return token;
  const detail = header === '' ? 'A token is needed: Authorization: Bearer …' : 'Authorization must be: Bearer …';
  throw problem(401, detail, { headers: { 'WWW-Authenticate': realm } });
}

/** RFC 6750 §3 allows printable ASCII without quote and backslash in `error_description`. */
function invalidToken(detail: string, cause?: unknown): Problem {
  const description = detail.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?');
  const challenge = `${realm}, error="invalid_token", error_description="${description}"`;
  return problem(401, detail, { headers: { 'WWW-Authenticate': challenge }, cause });
}

/**
 * Checks that a request token was made for this body.
 * @throws {Problem} 401
 */
export function checkBody(token: Token, body: Body): void {
  if (token.kind === 'request' && !token.fits(body)) throw invalidToken('The token was made for another body');
}

/**
 * Consumes a request token, once all it is bound to has been verified; the answer may still be a refusal.
 * @throws {Problem} 401
 */
export async function useUp(token: Token, used: UsedTokens): Promise<void> {
  if (token.kind === 'access') return;
  const take = await used.take(token.key, token.expiresAtMs);
  if (take === 'replayed') throw invalidToken('The token has been used: each request needs one of its own');
  if (take === 'forgotten') {
    throw invalidToken('The clock was set back, and the token may have been used before: use an access token, or wait');
  }
  if (take === 'full') {
    throw invalidToken('Too many request tokens were used of late to remember one more: wait, or use an access token');
  }
}
