// Verifies operator tokens of both kinds: signature, times and claims.
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { messageOf } from '../../base/errors.ts';
import { type Scope, sha256 } from '../../client/sign-token.ts';
import { sameJson } from './same-json.ts';

/** A request token is at most this old. */
const maxRequestTokenAgeSec = 300;
/** How far a signer's clock may be ahead of the node's. */
const maxClockLeadSec = 30;

const noJwt = 'The token is not a signed JWT';
const jwtShape = /^[\w-]+\.[\w-]*\.[\w-]*$/;
/** The header is parsed before the signature is verified: its length is bounded. */
const longestHeader = 4096;

interface Bearer {
  /** Name of the bearer, as signed; null: not given. */
  readonly sub: string | null;
  readonly jti: string | null;
  readonly scope: Scope;
}

export interface AccessToken extends Bearer {
  readonly kind: 'access';
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface RequestToken extends Bearer {
  readonly kind: 'request';
  /** Key under which a used token is remembered; 43 characters of base64url. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Whether it was made for a request with this body. */
  fits(body: Body): boolean;
}

export type Token = AccessToken | RequestToken;

/** A request's body: parsed (`{}` if absent), and the base64url SHA-256 of its bytes. */
export interface Body {
  readonly value: unknown;
  readonly sha256: string;
}

export const emptyBody: Body = { value: {}, sha256: sha256('') };

/** What a token is checked against. */
export interface TokenRules {
  readonly secret: Uint8Array;
  /** The node's id, for `aud`. */
  readonly id: string;
  readonly accessTokens: boolean;
  readonly now: () => number;
}

/** Why a token is refused, as a message for the client. Never holds the token. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/**
 * @param token the compact JWT
 * @param url path and query of the request, as sent
 * @throws {TokenRefused}
 */
export async function verifyToken(token: string, url: string, rules: TokenRules): Promise<Token> {
  const claims = await verifiedClaims(token, rules);
  const { sub, jti, aud } = claims;
  if (aud !== undefined && !audiencesOf(aud).includes(rules.id)) {
    throw new TokenRefused(`The token is for another node: its "aud" is not ${JSON.stringify(rules.id)}`);
  }
  const bearer: Bearer = { sub: text('sub', sub), jti: text('jti', jti), scope: scopeOf(claims) };
  if ('reqUrl' in claims || 'reqBody' in claims || 'reqBodyHash' in claims) {
    return requestToken(token, url, bearer, claims, rules.now());
  }
  if (!rules.accessTokens) {
    throw new TokenRefused(
      'Access tokens are turned off (operatorApi.accessTokens): a token must be made for one request',
    );
  }
  for (const name of ['iat', 'exp'] as const) {
    // JSON has no infinity, but 1e999 is read as one.
    if (!Number.isFinite(claims[name])) throw new TokenRefused(`The token has no "${name}"`);
  }
  return { kind: 'access', ...bearer, expiresAtMs: (claims.exp ?? 0) * 1000 };
}

async function verifiedClaims(token: string, { secret, now }: TokenRules): Promise<JWTPayload> {
  if (!jwtShape.test(token) || token.indexOf('.') > longestHeader) throw new TokenRefused(noJwt);
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'], currentDate: new Date(now()) });
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    throw new TokenRefused(refusalOf(error), { cause: error });
  }
}

function refusalOf(error: errors.JOSEError): string {
  if (error instanceof errors.JOSEAlgNotAllowed) return 'Only HS256 signatures are taken';
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The signature is not that of this node's secret";
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `The token is not right: ${messageOf(error)}`;
  return noJwt;
}

function requestToken(token: string, url: string, bearer: Bearer, claims: JWTPayload, nowMs: number): RequestToken {
  const { reqUrl, iat, exp = Number.POSITIVE_INFINITY, reqBodyHash } = claims;
  if (typeof reqUrl !== 'string') throw new TokenRefused('The token names a body, but no URL ("reqUrl")');
  if (iat === undefined) throw new TokenRefused('The token has no "iat"');
  const tooOldAtMs = (iat + maxRequestTokenAgeSec) * 1000;
  if (nowMs > tooOldAtMs) throw new TokenRefused(`The token is older than ${maxRequestTokenAgeSec} s`);
  if (iat * 1000 > nowMs + maxClockLeadSec * 1000) {
    throw new TokenRefused(`The token was made more than ${maxClockLeadSec} s in the future: check both clocks`);
  }
  if (reqUrl !== url) throw new TokenRefused('The token was made for another URL');
  // Without a body claim the token is for an empty body, the same as {}.
  const bindsValue = 'reqBody' in claims || reqBodyHash === undefined;
  const value = 'reqBody' in claims ? claims.reqBody : {};
  return {
    kind: 'request',
    ...bearer,
    key: keyOf(token, bearer.jti),
    // Claims may be fractions of a second; the file of used tokens has whole milliseconds.
    expiresAtMs: Math.min(Math.ceil(tooOldAtMs), Math.ceil(exp) * 1000),
    fits: (sent) =>
      (reqBodyHash === undefined || reqBodyHash === sent.sha256) && (!bindsValue || sameJson(value, sent.value)),
  };
}

/**
 * The signed part alone is hashed: the last character of a signature can be written in four ways that decode to the
 * same bytes, and each would pass for a token not seen before.
 */
const keyOf = (token: string, jti: string | null): string =>
  jti === null ? sha256(token.slice(0, token.lastIndexOf('.'))) : sha256(`jti ${jti}`);

const audiencesOf = (aud: unknown): unknown[] => (Array.isArray(aud) ? aud : [aud]);

function text(name: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new TokenRefused(`"${name}" in the token is not a string`);
  return value;
}

/** `scope` is a list of words (RFC 8693 §4.2); the widest known one counts. */
function scopeOf(claims: JWTPayload): Scope {
  const words = (text('scope', claims.scope) ?? 'operate').split(' ');
  if (words.includes('operate')) return 'operate';
  if (words.includes('read')) return 'read';
  throw new TokenRefused('"scope" in the token is neither operate nor read');
}
