/**
 * The quick way for the plain case of a shared secret: HS256, signature and claims in order. Everything else
 * (also everything to refuse) is left to jose, which goes by the thread pool: 110 us of CPU a token instead
 * of 25, 1.7 s instead of 0.4 for a storm of 15,000 phones.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';

export interface PlainDemands {
  nowSeconds: number;
  skewSeconds: number;
  /** Empty: not compared. */
  issuer: string;
  audience: string;
}

/** The claims, or null: not plain, or not to be taken. */
export function plainHs256(token: string, key: KeyObject, demands: PlainDemands): JWTPayload | null {
  const bodyAt = token.indexOf('.') + 1;
  const signatureAt = token.indexOf('.', bodyAt) + 1;
  if (bodyAt < 2 || signatureAt < bodyAt + 2) return null;
  const expected = createHmac('sha256', key)
    .update(token.slice(0, signatureAt - 1))
    .digest('base64url');
  if (!sameText(expected, token.slice(signatureAt))) return null;
  const header = parsePart(token.slice(0, bodyAt - 1));
  if (header === null || header['alg'] !== 'HS256' || 'crit' in header || 'b64' in header) return null;
  const claims = parsePart(token.slice(bodyAt, signatureAt - 1));
  return claims !== null && inOrder(claims, demands) ? claims : null;
}

function inOrder(claims: JWTPayload, { nowSeconds, skewSeconds, issuer, audience }: PlainDemands): boolean {
  const { sub, exp, nbf, iat, iss, aud } = claims;
  if (typeof sub !== 'string') return false;
  if (typeof exp !== 'number' || exp <= nowSeconds - skewSeconds) return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowSeconds + skewSeconds)) return false;
  if (iat !== undefined && typeof iat !== 'number') return false;
  if (issuer !== '' && iss !== issuer) return false;
  if (audience === '') return true;
  return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parsePart(text: string): Record<string, unknown> | null {
  // Only the canonical alphabet: what Node would skip over is for jose to judge.
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(text, 'base64url')));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function sameText(expected: string, given: string): boolean {
  if (given.length !== expected.length) return false;
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(Buffer.from(expected), bytes);
}
