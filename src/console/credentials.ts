// The credentials the operator pasted: an access token, sent with each request, or the secret, which signs each request and is never sent.
import { leastSecretBytes, longestBodyInToken, requestTokenLifetimeSec } from '../base/signing-rules.ts';

export interface Credentials {
  readonly kind: 'access' | 'secret';
  /** The operator's name for the node's log; null: not given. */
  readonly sub: string | null;
  readonly readOnly: boolean;
  /** Milliseconds since the epoch; null: does not expire. */
  readonly expiresAtMs: number | null;
  /** The `Authorization` header of one request. */
  authorize(path: string, body?: unknown): Promise<string>;
}

/** Why the pasted text cannot be used, as a message for the operator. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable';
}

interface AccessClaims {
  readonly exp?: unknown;
  readonly sub?: unknown;
  readonly scope?: unknown;
  readonly reqUrl?: unknown;
}

/** Only text in the form of a JWT is sent as a token, so a secret never leaves the page. */
export const isToken = (text: string): boolean => claimsOf(text) !== null;

/** Web Crypto needs a secure context: HTTPS or localhost. */
export const canSign = (): boolean => globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined;

/**
 * @param sub the name of the operator, for requests signed with the secret
 * @throws {NotUsable}
 */
export async function credentialsFrom(pasted: string, sub: string): Promise<Credentials> {
  const text = pasted.trim();
  const claims = claimsOf(text);
  if (claims !== null) return accessCredentials(text, claims);
  if (!canSign()) {
    throw new NotUsable(
      'The browser can sign requests only on pages from localhost or over HTTPS. Paste an access token instead: distributor-node token prints one.',
    );
  }
  // The node also drops one trailing newline and keeps other white space.
  const secret = pasted.replace(/\r?\n$/, '');
  if (new TextEncoder().encode(secret).length < leastSecretBytes) {
    throw new NotUsable(
      `This is neither an access token nor a secret: a secret has at least ${leastSecretBytes} bytes.`,
    );
  }
  return secretCredentials(secret, sub.trim());
}

function accessCredentials(token: string, { exp, sub, scope, reqUrl }: AccessClaims): Credentials {
  if (reqUrl !== undefined) {
    throw new NotUsable(
      'This token is bound to one request. Paste an access token: distributor-node token prints one.',
    );
  }
  const expiresAtMs = typeof exp === 'number' ? exp * 1000 : null;
  if (expiresAtMs !== null && expiresAtMs <= Date.now()) {
    throw new NotUsable('This token has expired. Make a new one: distributor-node token.');
  }
  return {
    kind: 'access',
    sub: typeof sub === 'string' ? sub : null,
    readOnly: typeof scope === 'string' && !scope.split(' ').includes('operate'),
    expiresAtMs,
    authorize: async () => `Bearer ${token}`,
  };
}

async function secretCredentials(secret: string, sub: string): Promise<Credentials> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  // Not extractable: no script can read the key back, this page included.
  const key = await crypto.subtle.importKey('raw', bytesOf(secret), algorithm, false, ['sign']);
  const authorize = async (reqUrl: string, body: unknown = {}): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000);
    const text = JSON.stringify(body);
    const bound = text.length > longestBodyInToken ? { reqBodyHash: await sha256(text) } : { reqBody: body };
    const claims = { reqUrl, ...bound, iat, exp: iat + requestTokenLifetimeSec, jti: crypto.randomUUID() };
    const named = sub === '' ? claims : { ...claims, sub };
    const signed = [{ alg: 'HS256', typ: 'JWT' }, named]
      .map((part) => base64url(bytesOf(JSON.stringify(part))))
      .join('.');
    const signature = await crypto.subtle.sign('HMAC', key, bytesOf(signed));
    return `Bearer ${signed}.${base64url(new Uint8Array(signature))}`;
  };
  return { kind: 'secret', sub: sub === '' ? null : sub, readOnly: false, expiresAtMs: null, authorize };
}

/** The unverified claims of a JWT; null: not a JWT. */
function claimsOf(text: string): AccessClaims | null {
  const parts = text.split('.');
  if (parts.length !== 3) return null;
  try {
    const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(textOf(part)));
    return typeof header.alg === 'string' && typeof claims === 'object' ? claims : null;
  } catch {
    return null;
  }
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const sha256 = async (text: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(text))));

/** RFC 7515 §2. */
const base64url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const textOf = (part: string): string =>
  new TextDecoder().decode(
    Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0)),
  );
