// Both kinds of operator token against signature, clock and claims, at the exact edges.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { sha256, signAccessToken, signRequestToken } from '../../../src/client/sign-token.ts';
import {
  type Body,
  emptyBody,
  type RequestToken,
  type Token,
  TokenRefused,
  verifyToken,
} from '../../../src/operator/auth/tokens.ts';
import { nodeId, signingKey } from '../../support/harness.ts';

const url = '/api/v1/set-buckets';
/** A moment that is not a whole second. */
const signedAt = 1_700_000_000;

const bodyOf = (text: string): Body => ({ value: JSON.parse(text), sha256: sha256(text) });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

interface Circumstances {
  readonly nowMs?: number;
  readonly accessTokens?: boolean;
  readonly key?: Uint8Array;
  readonly url?: string;
}

const verify = (
  token: string,
  { nowMs = signedAt * 1000, accessTokens = true, key = signingKey, ...at }: Circumstances = {},
) => verifyToken(token, at.url ?? url, { secret: key, id: nodeId, accessTokens, now: () => nowMs });

/** Signs any claims, without checks. */
const signed = (claims: object, key: Uint8Array = signingKey, header: object = { alg: 'HS256' }): string =>
  signedText(JSON.stringify(claims), key, header);

const signedText = (claims: string, key: Uint8Array = signingKey, header: object = { alg: 'HS256' }): string => {
  const input = `${part(header)}.${Buffer.from(claims).toString('base64url')}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
};

const refused = async (token: string, circumstances?: Circumstances): Promise<string> => {
  const outcome = await verify(token, circumstances).catch((error: unknown) => error);
  expect(outcome).to.be.instanceOf(TokenRefused);
  return outcome instanceof TokenRefused ? outcome.message : '';
};

const requestToken = async (claims: object, circumstances?: Circumstances): Promise<RequestToken> => {
  const token: Token = await verify(signed({ reqUrl: url, iat: signedAt, ...claims }), circumstances);
  if (token.kind !== 'request') throw new Error('an access token');
  return token;
};

describe('an access token', () => {
  const claims = { iat: signedAt, exp: signedAt + 60 };

  it('is accepted with the claims about its bearer', async () => {
    const known = { kind: 'access', jti: null, expiresAtMs: (signedAt + 60) * 1000 };
    expect(await verify(signed(claims))).to.deep.equal({ ...known, sub: null, scope: 'operate' });
    const token = await signAccessToken(signingKey, {
      lifetimeSec: 60,
      sub: 'alice',
      scope: 'read',
      nowMs: signedAt * 1000,
    });
    expect(await verify(token)).to.deep.equal({ ...known, sub: 'alice', scope: 'read' });
  });

  it('needs iat and exp, as numbers', async () => {
    expect(await refused(signed({ exp: signedAt + 60 }))).to.equal('The token has no "iat"');
    expect(await refused(signed({ iat: signedAt }))).to.equal('The token has no "exp"');
    expect(await refused(signed({ ...claims, exp: String(signedAt + 60) }))).to.include('"exp" claim must be a number');
    expect(await refused(signed({ ...claims, iat: null }))).to.include('"iat" claim must be a number');
    expect(await refused(signedText(`{"iat":${signedAt},"exp":1e999}`))).to.equal('The token has no "exp"');
  });

  it('has a bounded header, since it is parsed before the signature is verified', async () => {
    await verify(signed(claims, signingKey, { alg: 'HS256', kid: 'k'.repeat(3000) }));
    const long = signed(claims, signingKey, { alg: 'HS256', kid: 'k'.repeat(4000) });
    expect(await refused(long)).to.equal('The token is not a signed JWT');
  });

  it('is valid until its exp, and not before its nbf', async () => {
    await verify(signed(claims), { nowMs: (signedAt + 60) * 1000 - 1 });
    expect(await refused(signed(claims), { nowMs: (signedAt + 60) * 1000 })).to.equal('The token has expired');
    const later = signed({ ...claims, nbf: signedAt + 10 });
    await verify(later, { nowMs: (signedAt + 10) * 1000 });
    expect(await refused(later, { nowMs: (signedAt + 10) * 1000 - 1 })).to.include('"nbf"');
  });

  it('is for this node, if it names an audience', async () => {
    for (const aud of [nodeId, ['other', nodeId]]) await verify(signed({ ...claims, aud }));
    for (const aud of ['other', '', null, 7, [], ['other'], { [nodeId]: true }]) {
      expect(await refused(signed({ ...claims, aud }))).to.include('another node');
    }
  });

  it('has a scope that is known', async () => {
    expect(await verify(signed({ ...claims, scope: 'read operate' }))).to.include({ scope: 'operate' });
    expect(await verify(signed({ ...claims, scope: 'profile read' }))).to.include({ scope: 'read' });
    for (const scope of ['', 'write', 'OPERATE', 1, null, ['operate']]) await refused(signed({ ...claims, scope }));
  });

  it('can be turned off', async () => {
    expect(await refused(signed(claims), { accessTokens: false })).to.include('operatorApi.accessTokens');
    expect((await verify(signed({ reqUrl: url, iat: signedAt }), { accessTokens: false })).kind).to.equal('request');
  });
});

describe('a request token', () => {
  it('is at most five minutes old and thirty seconds ahead', async () => {
    const token = signed({ reqUrl: url, iat: signedAt });
    for (const offsetMs of [-30_000, 300_000]) await verify(token, { nowMs: signedAt * 1000 + offsetMs });
    expect(await refused(token, { nowMs: (signedAt - 30) * 1000 - 1 })).to.include('in the future');
    expect(await refused(token, { nowMs: (signedAt + 300) * 1000 + 1 })).to.equal('The token is older than 300 s');
    expect(await refused(signed({ reqUrl: url, exp: signedAt + 60 }))).to.equal('The token has no "iat"');
  });

  it('ends sooner where it has an exp, but never later', async () => {
    const soon = { exp: signedAt + 60 };
    expect((await requestToken(soon)).expiresAtMs).to.equal((signedAt + 60) * 1000);
    const token = signed({ reqUrl: url, iat: signedAt, ...soon });
    expect(await refused(token, { nowMs: (signedAt + 60) * 1000 })).to.equal('The token has expired');
    expect((await requestToken({ exp: signedAt + 3600 })).expiresAtMs).to.equal((signedAt + 300) * 1000);
    expect((await requestToken({})).expiresAtMs).to.equal((signedAt + 300) * 1000);
  });

  it('ends on a whole millisecond, even if its times are fractions', async () => {
    expect((await requestToken({ iat: signedAt - 0.1234567 })).expiresAtMs).to.equal((signedAt + 300) * 1000 - 123);
    expect((await requestToken({ exp: signedAt + 0.1234567 })).expiresAtMs).to.equal((signedAt + 1) * 1000);
  });

  it('is for one URL, byte for byte', async () => {
    const token = signed({ reqUrl: `${url}?a=1`, iat: signedAt });
    await verify(token, { url: `${url}?a=1` });
    for (const other of [url, `${url}?a=1&`, `${url}?a=%31`, `${url}?A=1`, `http://node${url}?a=1`]) {
      expect(await refused(token, { url: other })).to.equal('The token was made for another URL');
    }
    for (const reqUrl of [null, 7, [url]]) await refused(signed({ reqUrl, iat: signedAt, exp: signedAt + 60 }));
  });

  it('is not accepted as an access token if it has no URL', async () => {
    for (const claim of [{ reqBody: {} }, { reqBodyHash: emptyBody.sha256 }]) {
      expect(await refused(signed({ ...claim, iat: signedAt, exp: signedAt + 60 }))).to.include('no URL');
    }
  });

  it('is for one body, as a value', async () => {
    const token = await requestToken({ reqBody: { a: [1, { b: null }], c: 'x' } });
    expect(token.fits(bodyOf(' {"c": "\\u0078", "a": [1.0, {"b": null}]}'))).to.equal(true);
    const others = [
      '{}',
      '{"a":[1,{"b":null}]}',
      '{"a":[{"b":null},1],"c":"x"}',
      '{"a":{"0":1,"1":{"b":null}},"c":"x"}',
    ];
    for (const other of [...others, '{"a":[1,{}],"c":"x"}', '{"a":[1,{"b":0}],"c":"x"}', '[]']) {
      expect(token.fits(bodyOf(other)), other).to.equal(false);
    }
  });

  it('is for no body, or {}, if it has none', async () => {
    for (const claims of [{}, { reqBody: {} }]) {
      const token = await requestToken(claims);
      expect([token.fits(emptyBody), token.fits(bodyOf('{}')), token.fits(bodyOf('{"a":1}'))]).to.deep.equal([
        true,
        true,
        false,
      ]);
    }
    expect((await requestToken({ reqBody: null })).fits(emptyBody)).to.equal(false);
  });

  it('is for the bytes of a body if it has their hash, and for both if it has both', async () => {
    const token = await requestToken({ reqBodyHash: sha256('{"a":1}') });
    expect([token.fits(bodyOf('{"a":1}')), token.fits(bodyOf('{"a": 1}'))]).to.deep.equal([true, false]);
    const both = await requestToken({ reqBodyHash: sha256('{"a":1}'), reqBody: { a: 2 } });
    expect(both.fits(bodyOf('{"a":1}'))).to.equal(false);
    expect((await requestToken({ reqBodyHash: null })).fits(emptyBody)).to.equal(false);
  });

  it('is identified by its jti, else by the signed part', async () => {
    const one = await requestToken({ jti: 'one' });
    expect(one.key).to.match(/^[\w-]{43}$/);
    expect((await requestToken({ jti: 'one', sub: 'bob' })).key).to.equal(one.key);
    expect((await requestToken({ jti: 'two' })).key).not.to.equal(one.key);
    expect((await requestToken({})).key).not.to.equal((await requestToken({ sub: 'bob' })).key);
    await refused(signed({ reqUrl: url, iat: signedAt, jti: 7 }));
  });

  it('is recognized if its signature is encoded differently', async () => {
    const token = signed({ reqUrl: url, iat: signedAt });
    const last = token.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 256 bits in 43 characters: the two lowest bits of the last one mean nothing.
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1];
    const keys = [];
    for (const text of [token, twin]) {
      const outcome = await verify(text);
      if (outcome.kind === 'request') keys.push(outcome.key);
    }
    expect(twin).not.to.equal(token);
    expect(keys[0]).to.equal(keys[1]);
  });

  it('is accepted as signed by the client in this package', async () => {
    const token = await signRequestToken(
      signingKey,
      { reqUrl: url, reqBody: { buckets: ['1:0'] } },
      signedAt * 1000 + 999,
    );
    const taken = await verify(token);
    expect(taken.kind === 'request' && taken.fits(bodyOf('{"buckets":["1:0"]}'))).to.equal(true);
  });
});

describe('any token', () => {
  const claims = { iat: signedAt, exp: signedAt + 60 };

  it('is signed with HS256 and nothing else', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const others = [
      `${part({ alg: 'none' })}.${part(claims)}.`,
      signed(claims, signingKey, { alg: 'none' }),
      signed(claims, signingKey, { alg: 'RS256' }),
      signed(claims, signingKey, { alg: 'hs256' }),
      signed(claims, signingKey, { alg: ['HS256'] }),
      signed(claims, signingKey, {}),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS512' }).sign(signingKey),
      await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
    ];
    for (const token of others) await refused(token);
    expect(await refused(others[6] ?? '')).to.equal('Only HS256 signatures are taken');
  });

  it('is signed with this secret, and not modified', async () => {
    const wrongKey = signed(claims, Buffer.from('another secret of more than 32 bytes!!'));
    expect(await refused(wrongKey)).to.equal("The signature is not that of this node's secret");
    const [header, , signature] = signed(claims).split('.');
    await refused(`${header}.${part({ ...claims, scope: 'operate' })}.${signature}`);
    await refused(signed(claims, signingKey, { alg: 'HS256', crit: ['b64'], b64: false }));
    await refused(signed(claims, signingKey, { alg: 'HS256', crit: ['x'], x: 1 }));
  });

  it('may be signed with a secret as short as sixteen bytes', async () => {
    const key = Buffer.from('sixteen bytes ok');
    await verify(signed(claims, key), { key });
    await verify(await signAccessToken(key, { lifetimeSec: 60, nowMs: signedAt * 1000 }), { key });
  });

  it('is a JWT', async () => {
    for (const token of [
      '',
      '.',
      '..',
      'a.b.c',
      'x',
      signed(claims).replaceAll('.', ''),
      `${signed(claims)}.x`,
      signedText('[1]'),
    ]) {
      expect(await refused(token)).to.equal('The token is not a signed JWT');
    }
  });
});
