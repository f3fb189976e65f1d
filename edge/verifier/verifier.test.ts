import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import { pino } from 'pino';
import { createManualClock, type ManualClock } from '../../channels/clock.manual.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { mintToken } from './mint-token.ts';
import { createVerifier } from './verifier.jose.ts';
import type { Verifier } from './verifier.ts';
import { type VerifierOptions, verifierDefaults, verifierFaults } from './verifier-options.ts';

const secret = 'a secret of the tests, 32 bytes at least';
const logger = pino({ level: 'silent' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');

function setUp(changes: Partial<VerifierOptions>): {
  clock: ManualClock;
  verifier: Verifier;
  seconds: number;
} {
  const clock = createManualClock();
  const verifier = createVerifier({ options: { ...verifierDefaults, ...changes }, clock, logger });
  return { clock, verifier, seconds: clock.now() / 1_000 };
}

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid });

function sign(alg: string, key: KeyObject | Uint8Array, exp: number, kid?: string, sub = 'u1') {
  const header = kid === undefined ? { alg } : { alg, kid };
  return new SignJWT({ sub }).setProtectedHeader(header).setExpirationTime(exp).sign(key);
}

async function refusal(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
  } catch (error) {
    assert.ok(error instanceof ClientError, String(error));
    assert.equal(error.code, 'invalid_token');
    assert.match(error.message, /^[A-Z`].*\.$/);
    if (token.length > 20) assert.ok(!error.message.includes(token.slice(0, 20)), 'repeats the token');
    return error.message;
  }
  throw new Error('the token was taken');
}

test('[VER-1] HS256: a token minted with the secret is taken', async () => {
  const { clock, verifier } = setUp({ tokenSecret: secret });
  const token = await mintToken({ secret, user: 'u_1-X', ttlMs: 60_000, nowMs: clock.now() });
  assert.deepEqual(await verifier.verify(token), { user: 'u_1-X', expiresAt: clock.now() + 61_000 });
});

test('[VER-1] RS256, ES256 and EdDSA: public keys as PEM and as JWK', async () => {
  const kinds = [
    ['RS256', rsa],
    ['ES256', ec],
    ['EdDSA', ed],
  ] as const;
  for (const [alg, pair] of kinds) {
    for (const text of [pem(pair.publicKey), JSON.stringify(jwk(pair.publicKey, 'k'))]) {
      const { verifier, seconds } = setUp({ tokenPublicKey: text });
      const token = await sign(alg, pair.privateKey, seconds + 60);
      assert.equal((await verifier.verify(token)).user, 'u1', alg);
      for (const [otherAlg, other] of kinds) {
        if (otherAlg === alg) continue;
        await refusal(verifier, await sign(otherAlg, other.privateKey, seconds + 60));
      }
    }
  }
});

test('[VER-1] algorithms are the configured ones: no none, PS256, or public key as a secret', async () => {
  const { verifier, seconds } = setUp({ tokenPublicKey: pem(rsa.publicKey) });
  const exp = seconds + 60;
  const confused = new TextEncoder().encode(pem(rsa.publicKey));
  const tokens = [
    new UnsecuredJWT({ sub: 'u1' }).setExpirationTime(exp).encode(),
    await sign('HS256', confused, exp),
    await sign('PS256', rsa.privateKey, exp),
    await sign('RS512', rsa.privateKey, exp),
  ];
  for (const token of tokens) {
    assert.match(await refusal(verifier, token), /algorithm|three parts/);
  }
  const shared = setUp({ tokenSecret: secret });
  const long = await sign('HS512', Buffer.from(secret.repeat(2)), shared.seconds + 60);
  assert.match(await refusal(shared.verifier, long), /algorithm/);
});

test('[VER-1] of the algorithms that fit a key set, only those configured', () =>
  withJwks(async (served) => {
    served.keys = { keys: [jwk(ec.publicKey, 'a'), jwk(ed.publicKey, 'b')] };
    const { verifier, seconds } = setUp({ tokenJwksUrl: served.url, tokenAlgorithms: ['EdDSA'] });
    assert.equal((await verifier.verify(await sign('EdDSA', ed.privateKey, seconds + 60, 'b'))).user, 'u1');
    assert.match(await refusal(verifier, await sign('ES256', ec.privateKey, seconds + 60, 'a')), /algorithm/);
  }));

test('[VER-2] exp and nbf within the skew; iss and aud as configured', async () => {
  const { clock, verifier, seconds } = setUp({
    tokenSecret: secret,
    tokenSkewMs: 2_000,
    tokenIssuer: 'https://id.example',
    tokenAudience: 'rankcast',
    tokenCacheMax: 0,
  });
  const key = Buffer.from(secret);
  const make = (claims: Record<string, unknown>) =>
    new SignJWT({
      sub: 'u1',
      iss: 'https://id.example',
      aud: ['x', 'rankcast'],
      exp: seconds + 10,
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(key);
  const good = await make({ nbf: seconds + 2 });
  assert.equal((await verifier.verify(good)).user, 'u1');
  assert.match(await refusal(verifier, await make({ nbf: seconds + 3 })), /not valid before 2023-11-14T/);
  assert.match(await refusal(verifier, await make({ iss: 'https://evil.example' })), /`iss`.*evil/);
  assert.match(await refusal(verifier, await make({ aud: 'other' })), /`aud`/);
  clock.advance(11_999);
  assert.equal((await verifier.verify(good)).user, 'u1');
  clock.advance(1);
  assert.match(await refusal(verifier, good), /ended at 2023-11-14T22:13:30\.000Z/);
});

test('[VER-3] malformed tokens: each refused with a sentence', async () => {
  const { verifier, seconds } = setUp({ tokenSecret: secret });
  const b64 = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const forge = (header: unknown, payload: unknown) => {
    const text = `${b64(header)}.${b64(payload)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const hs = { alg: 'HS256' };
  const claims = { sub: 'u1', exp: seconds + 60 };
  const good = forge(hs, claims);
  assert.equal((await verifier.verify(good)).user, 'u1');
  const [head = '', body = '', signature = ''] = good.split('.');
  const cases: [string, string, RegExp][] = [
    ['empty', '', /is empty/],
    ['a word', 'token', /three parts/],
    ['two parts', `${head}.${body}`, /three parts/],
    ['four parts', `${good}.x`, /three parts/],
    ['no signature', `${head}.${body}.`, /signature/],
    ['not base64url', `${head}.${body}.***`, /./],
    ['a changed payload', `${head}.${b64({ ...claims, sub: 'admin' })}.${signature}`, /signature/],
    ['a cut signature', good.slice(0, -4), /signature/],
    ['a header that is no JSON', forge('{', claims), /./],
    ['a header that is an array', forge([], claims), /./],
    ['no alg', forge({}, claims), /./],
    ['a number as alg', forge({ alg: 5 }, claims), /./],
    ['an unknown critical extension', forge({ ...hs, crit: ['x'], x: 1 }, claims), /crit|extension/],
    ['a payload that is no JSON', forge(hs, 'hello'), /payload/],
    ['a payload that is an array', forge(hs, [1]), /payload/],
    ['no sub', forge(hs, { exp: claims.exp }), /has no `sub`/],
    ['no exp', forge(hs, { sub: 'u1' }), /has no `exp`/],
    ['exp as text', forge(hs, { sub: 'u1', exp: 'tomorrow' }), /`exp`.*wrong type/],
    ['exp beyond all time', forge(hs, { sub: 'u1', exp: 1e300 }), /`exp`.*time/],
    ['sub as a number', forge(hs, { ...claims, sub: 7 }), /`sub`/],
    ['sub with a colon', forge(hs, { ...claims, sub: 'a:b' }), /`sub` of the token is "a:b"/],
    ['sub of 37 characters', forge(hs, { ...claims, sub: 'u'.repeat(37) }), /`sub`/],
    ['an empty sub', forge(hs, { ...claims, sub: '' }), /`sub`/],
    ['too long', `${good}${'A'.repeat(10_000)}`, /characters long; 8192 are allowed/],
    ['random bytes', randomBytes(40).toString('latin1'), /./],
  ];
  for (const [what, token, expected] of cases) {
    assert.match(await refusal(verifier, token), expected, what);
  }
  assert.equal((await verifier.verify(good)).user, 'u1');
});

/** A real server of a key set; `answer` may be changed at any time. */
async function withJwks(
  body: (served: { url: string; keys: unknown; status: number; asked: number }) => Promise<void>,
): Promise<void> {
  const served = { url: '', keys: { keys: [] as unknown[] } as unknown, status: 200, asked: 0 };
  const server = createServer((_req, res) => {
    served.asked += 1;
    res.statusCode = served.status;
    res.end(typeof served.keys === 'string' ? served.keys : JSON.stringify(served.keys));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  try {
    await body(served);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('[VER-4] a storm of the same token is verified once, and answered until it ends', () =>
  withJwks(async (served) => {
    served.keys = { keys: [jwk(ec.publicKey, 'a')] };
    const { clock, verifier, seconds } = setUp({ tokenJwksUrl: served.url });
    const token = await sign('ES256', ec.privateKey, seconds + 10, 'a');
    const storm = await Promise.all(Array.from({ length: 15_000 }, () => verifier.verify(token)));
    assert.ok(
      storm.every((identity) => identity === storm[0]),
      'one check, one identity',
    );
    assert.equal(served.asked, 1);
    clock.advance(10_999);
    assert.equal(await verifier.verify(token), storm[0]);
    clock.advance(1);
    assert.match(await refusal(verifier, token), /ended at/);
  }));

test('[VER-4] the cache is bounded: the token longest unused goes', async () => {
  const { clock, verifier } = setUp({ tokenSecret: secret, tokenCacheMax: 2 });
  const tokens = await Promise.all(
    ['a', 'b', 'c'].map((user) => mintToken({ secret, user, ttlMs: 60_000, nowMs: clock.now() })),
  );
  const [a = '', b = '', c = ''] = tokens;
  const first = await verifier.verify(a);
  const second = await verifier.verify(b);
  assert.equal(await verifier.verify(a), first);
  await verifier.verify(c);
  assert.equal(await verifier.verify(a), first);
  assert.notEqual(await verifier.verify(b), second);
});

test('[VER-5] rotation: a new key id makes the set be fetched again, a key that left counts no more', () =>
  withJwks(async (served) => {
    served.keys = { keys: [jwk(ec.publicKey, 'old')] };
    const { clock, verifier, seconds } = setUp({ tokenJwksUrl: served.url });
    const old = await sign('ES256', ec.privateKey, seconds + 3_600, 'old');
    assert.equal((await verifier.verify(old)).user, 'u1');
    served.keys = { keys: [jwk(rsa.publicKey, 'new'), jwk(ed.publicKey, 'ed')] };
    const fresh = await sign('RS256', rsa.privateKey, seconds + 3_600, 'new');
    assert.match(await refusal(verifier, fresh), /names a key that is not known/);
    assert.equal(served.asked, 1, 'within the cooldown');
    clock.advance(verifierDefaults.jwksCooldownMs);
    const others = Array.from({ length: 100 }, () => verifier.verify(fresh));
    assert.equal((await verifier.verify(fresh)).user, 'u1');
    await Promise.all(others);
    assert.equal(served.asked, 2);
    assert.match(await refusal(verifier, old), /names a key that is not known/);
    const edToken = await sign('EdDSA', ed.privateKey, seconds + 3_600, 'ed');
    assert.equal((await verifier.verify(edToken)).user, 'u1');
    for (let i = 0; i < 50; i++) {
      await refusal(verifier, await sign('RS256', rsa.privateKey, seconds + 3_600, `made-up-${i}`));
    }
    assert.equal(served.asked, 2, 'made-up key ids do not hammer the URL');
  }));

test('[VER-5] without a key id each key that fits is tried; shared secrets in a set are not used', () =>
  withJwks(async (served) => {
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const oct = { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 's' };
    served.keys = { keys: [jwk(other.publicKey, 'a'), jwk(ec.publicKey, 'b'), oct] };
    const { verifier, seconds } = setUp({ tokenJwksUrl: served.url });
    assert.equal((await verifier.verify(await sign('ES256', ec.privateKey, seconds + 60))).user, 'u1');
    const strange = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    assert.match(await refusal(verifier, await sign('ES256', strange.privateKey, seconds + 60)), /signature/);
    const shared = await sign('HS256', Buffer.from(secret), seconds + 60, 's');
    assert.match(await refusal(verifier, shared), /algorithm/);
  }));

test('[VER-6] known keys go on while the URL fails; with none known: a retryable ServiceError', () =>
  withJwks(async (served) => {
    const { clock, verifier, seconds } = setUp({ tokenJwksUrl: served.url });
    const token = (user: string) => sign('ES256', ec.privateKey, seconds + 36_000, 'a', user);
    const bad: [number, unknown][] = [
      [500, {}],
      [200, 'no JSON'],
      [200, { keys: 'none' }],
      [200, 'x'.repeat(70_000)],
    ];
    for (const [status, keys] of bad) {
      served.status = status;
      served.keys = keys;
      await assert.rejects(verifier.verify(await token('u1')), (error) => {
        assert.ok(error instanceof ServiceError && error.retryable);
        return true;
      });
      clock.advance(verifierDefaults.jwksRetryMs);
    }
    assert.equal(served.asked, 4);
    served.status = 200;
    served.keys = { keys: [jwk(ec.publicKey, 'a')] };
    assert.equal((await verifier.verify(await token('u1'))).user, 'u1');
    served.status = 503;
    clock.advance(verifierDefaults.jwksRefreshMs + 1);
    assert.equal((await verifier.verify(await token('u2'))).user, 'u2');
    assert.equal((await verifier.verify(await token('u3'))).user, 'u3');
    verifier.close();
  }));

test('wrong options are named, all at once', () => {
  const faults = (changes: Partial<VerifierOptions>) => verifierFaults({ ...verifierDefaults, ...changes });
  assert.match(faults({}).join(), /one of tokenSecret, tokenPublicKey and tokenJwksUrl/);
  assert.match(faults({ tokenSecret: 'short' }).join(), /5 bytes long; at least 32/);
  assert.equal(faults({ tokenSecret: 'short', tokenJwksUrl: 'ftp://x' }).length, 3);
  assert.match(faults({ tokenPublicKey: 'hello' }).join(), /neither a public key in PEM nor a JWK/);
  assert.match(faults({ tokenPublicKey: '{"kty":"EC"}' }).join(), /neither/);
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  assert.match(faults({ tokenPublicKey: pem(small.publicKey) }).join(), /1024 bits/);
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp521r1' });
  assert.match(faults({ tokenPublicKey: pem(curve.publicKey) }).join(), /secp521r1/);
  const priv = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.match(faults({ tokenPublicKey: priv }).join(), /private key/);
  assert.match(faults({ tokenSecret: secret, tokenAlgorithms: ['none'] }).join(), /names none/);
  assert.match(faults({ tokenPublicKey: pem(ec.publicKey), tokenAlgorithms: ['RS256'] }).join(), /for ES256/);
  assert.deepEqual(faults({ tokenSecret: secret }), []);
  assert.throws(
    () => createVerifier({ options: verifierDefaults, clock: createManualClock(), logger }),
    /No key/,
  );
});

test('mintToken refuses a short secret, a bad user and no life', () => {
  assert.throws(() => mintToken({ secret: 'x', user: 'u1', ttlMs: 1 }), /1 bytes long/);
  assert.throws(() => mintToken({ secret, user: 'a b', ttlMs: 1 }), /user id/);
  assert.throws(() => mintToken({ secret, user: 'u1', ttlMs: 0 }), /life/);
});
