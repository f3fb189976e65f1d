import { SignJWT } from 'jose';
import { isId } from '../../proto/record-fields.ts';
import { tokenSecretBytesMin } from './verifier-options.ts';

export interface MintOptions {
  /** The shared secret, at least 32 bytes. */
  secret: string;
  user: string;
  ttlMs: number;
  /** ms since the epoch; by default now. */
  nowMs?: number;
}

/** A token (HS256) for tests, demos and operators. Throws a sentence for a bad user, secret or life. */
export function mintToken({ secret, user, ttlMs, nowMs = Date.now() }: MintOptions): Promise<string> {
  const key = new TextEncoder().encode(secret);
  if (key.length < tokenSecretBytesMin) {
    throw new Error(`The secret is ${key.length} bytes long; at least ${tokenSecretBytesMin} are needed.`);
  }
  if (!isId(user)) throw new Error('A user id is 1 to 36 characters of A-Z, a-z, 0-9, _ and -.');
  if (!Number.isFinite(ttlMs) || ttlMs <= 0)
    throw new Error('The life of a token is a number of ms above 0.');
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(Math.floor(nowMs / 1_000))
    .setExpirationTime(Math.ceil((nowMs + ttlMs) / 1_000))
    .sign(key);
}
