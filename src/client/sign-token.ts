// Signs operator tokens: access tokens for many requests, and request tokens bound to one.
import { createHash } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';

export type Scope = 'operate' | 'read';

/** As base64url, like `reqBodyHash`. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('base64url');

/** `nowMs` is the time of signing, milliseconds since the epoch. */
export interface AccessTokenOptions {
  readonly lifetimeSec: number;
  readonly sub?: string;
  readonly scope?: Scope;
  readonly aud?: string;
  readonly nowMs?: number;
}

/** A token for many requests, until it expires. */
export function signAccessToken(secret: Uint8Array, options: AccessTokenOptions): Promise<string> {
  const { lifetimeSec, nowMs = Date.now(), ...claims } = options;
  const iat = Math.floor(nowMs / 1000);
  return sign(secret, { ...claims, iat, exp: iat + lifetimeSec });
}

/** Claims of a request token; `reqBody` or, for large ones, `reqBodyHash`. */
export interface RequestClaims extends JWTPayload {
  readonly reqUrl: string;
  readonly reqBody?: unknown;
  readonly reqBodyHash?: string;
}

/** A token for one request. `iat` defaults to now. */
export function signRequestToken(secret: Uint8Array, claims: RequestClaims, nowMs = Date.now()): Promise<string> {
  return sign(secret, { iat: Math.floor(nowMs / 1000), ...claims });
}

const sign = (secret: Uint8Array, claims: JWTPayload): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);
