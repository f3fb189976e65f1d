/** Tokens of the demo's users, and the keys by which a window proves that it is the same user as before. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../client/clock.ts';

export interface DemoTokens {
  /** A token for a day. */
  mint(user: string): Promise<string>;
  /** Whose token it is; null: it is none of ours, or ran out. */
  userOf(token: string): Promise<string | null>;
  keyOf(user: string): string;
  isKeyOf(user: string, key: string): boolean;
}

const dayMs = 86_400_000;

export function createDemoTokens(secret: string, clock: Clock): DemoTokens {
  const bytes = new TextEncoder().encode(secret);
  const keyOf = (user: string): string => {
    return createHmac('sha256', bytes).update(`window of ${user}`).digest('base64url');
  };
  return {
    mint: (user) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setExpirationTime(Math.floor((clock.now() + dayMs) / 1_000))
        .sign(bytes),
    userOf: async (token) => {
      try {
        const { payload } = await jwtVerify(token, bytes, {
          algorithms: ['HS256'],
          currentDate: new Date(clock.now()),
        });
        return payload.sub ?? null;
      } catch {
        return null;
      }
    },
    keyOf,
    isKeyOf: (user, key) => {
      const right = Buffer.from(keyOf(user));
      const given = Buffer.from(key);
      return right.length === given.length && timingSafeEqual(right, given);
    },
  };
}
