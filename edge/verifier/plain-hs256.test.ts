import assert from 'node:assert/strict';
import { createHmac, createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { type JWTVerifyOptions, jwtVerify } from 'jose';
import { seededRandom } from '../../channels/random.ts';
import { plainHs256 } from './plain-hs256.ts';

const secret = 'a secret of the tests, 32 bytes at least';
const key = createSecretKey(secret, 'utf8');
const now = 1_700_000_000;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

test(`[VER-1] [VER-2] the quick way takes nothing that jose refuses (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
  let taken = 0;
  let refused = 0;
  for (let i = 0; i < 4_000; i++) {
    const token = makeToken(pick, random);
    const issuer = pick('', '', 'me');
    const audience = pick('', '', 'rankcast');
    const quick = plainHs256(token, key, { nowSeconds: now, skewSeconds: 2, issuer, audience });
    const options: JWTVerifyOptions = {
      algorithms: ['HS256'],
      clockTolerance: 2,
      currentDate: new Date(now * 1_000),
      requiredClaims: ['exp'],
    };
    if (issuer !== '') options.issuer = issuer;
    if (audience !== '') options.audience = audience;
    const judged = await jwtVerify(token, key, options).then(
      ({ payload }) => payload,
      () => null,
    );
    if (quick !== null) assert.deepEqual(quick, judged, token);
    if (quick !== null) taken += 1;
    else if (judged === null) refused += 1;
    // jose also takes a signature with padding, and claims without a user.
    else
      assert.ok(token.endsWith('=') || typeof judged.sub !== 'string', `the plain case is quick: ${token}`);
  }
  assert.ok(taken > 100 && refused > 1_000, `${taken} taken, ${refused} refused`);
});

function makeToken(pick: <T>(...values: T[]) => T, random: () => number): string {
  const header: Record<string, unknown> = {
    alg: pick<unknown>('HS256', 'HS256', 'HS256', 'HS256', 'HS512', 'none', 5),
  };
  if (random() < 0.3) header['typ'] = 'JWT';
  if (random() < 0.05) header['crit'] = ['x'];
  const claims: Record<string, unknown> = { sub: pick<unknown>('u1', 'u1', 'é', 7) };
  if (random() < 0.9)
    claims['exp'] = pick<unknown>(
      now + 60,
      now + 60,
      now - 1,
      now - 2,
      now - 3,
      now,
      String(now + 60),
      1.5e9,
    );
  if (random() < 0.4) claims['nbf'] = pick<unknown>(now, now + 2, now + 3, 'soon', 0);
  if (random() < 0.3) claims['iat'] = pick<unknown>(now, now + 100, 'x');
  if (random() < 0.6) claims['iss'] = pick<unknown>('me', 'me', 'you', 7);
  if (random() < 0.6)
    claims['aud'] = pick<unknown>('rankcast', ['rankcast'], ['a', 'rankcast'], 'other', [], 7);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = random() < 0.03 ? part(pick<unknown>([1], 'text', null)) : part(claims);
  const text = `${part(header)}.${body}`;
  let token = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  if (random() < 0.1) token = damaged(token, pick, random);
  return token;
}

function damaged(token: string, pick: <T>(...values: T[]) => T, random: () => number): string {
  const at = Math.floor(random() * token.length);
  return pick(
    token.slice(0, at),
    `${token}=`,
    `${token}.`,
    `.${token}`,
    `${token.slice(0, at)}${pick('A', '.', '+', ' ', 'é')}${token.slice(at + 1)}`,
    token.replace('.', '..'),
  );
}
