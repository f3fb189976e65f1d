/** Who calls: tokens of users, keys of back ends, both as `Authorization: Bearer`; and how often they may. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { ClientError, type CodeName } from '../../proto/codes.ts';
import type { Verifier } from '../verifier/verifier.ts';
import type { Caller } from './router.ts';

export interface CallersOptions {
  /** Keys of back ends; more than one while they are changed. */
  apiKeys: string[];
  requestsPerSecond: number;
  keyRequestsPerSecond: number;
}
export const callersDefaults: CallersOptions = {
  apiKeys: [],
  // A screen asks for a few pages as it opens; a program that reads the whole board is slowed down.
  requestsPerSecond: 100,
  // Back ends are trusted; this stops one that has run wild before it stops the edge.
  keyRequestsPerSecond: 5_000,
};

export interface Callers {
  /**
   * The user of the token, or '' for a back end. Throws ClientError `invalid_token`, `unauthorized`,
   * `forbidden` (`self`: the path is another user's) or `rate_limited`.
   */
  admit(caller: Caller, authorization: string | undefined, me: string | undefined): Promise<string>;
}

export function createCallers(options: CallersOptions, verifier: Verifier): Callers {
  const keys = options.apiKeys.map(hash);
  const perUser = new RateLimiterMemory({ points: options.requestsPerSecond, duration: 1 });
  const perKey = new RateLimiterMemory({ points: options.keyRequestsPerSecond, duration: 1 });

  /** Compares with every key, each in constant time; the index, or -1. */
  function keyIndex(given: string): number {
    const hashed = hash(given);
    let found = -1;
    keys.forEach((key, i) => {
      if (timingSafeEqual(key, hashed)) found = i;
    });
    return found;
  }

  async function user(authorization: string | undefined, me: string | undefined): Promise<string> {
    const identity = await verifier.verify(bearer(authorization, 'invalid_token', 'token'));
    if (me !== undefined && me !== identity.user) {
      throw new ClientError('forbidden', 'The token is of another user than the path.');
    }
    await pace(perUser, identity.user, `A user may make ${options.requestsPerSecond} requests a second.`);
    return identity.user;
  }

  async function backEnd(authorization: string | undefined): Promise<string> {
    const index = keyIndex(bearer(authorization, 'unauthorized', 'API key'));
    if (index < 0) throw new ClientError('unauthorized', 'The API key is not one of this server’s.');
    const sentence = `An API key may make ${options.keyRequestsPerSecond} requests a second.`;
    await pace(perKey, String(index), sentence);
    return '';
  }

  return {
    async admit(caller, authorization, me) {
      switch (caller) {
        case 'anyone':
          return '';
        case 'token':
          return user(authorization, undefined);
        case 'self':
          return user(authorization, me);
        case 'key':
          return backEnd(authorization);
        default:
          return caller satisfies never;
      }
    },
  };
}

function bearer(authorization: string | undefined, code: CodeName, what: string): string {
  if (authorization === undefined || authorization === '') {
    throw new ClientError(code, `The ${what} is missing: send it as \`Authorization: Bearer ...\`.`);
  }
  const found = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (found === undefined) {
    throw new ClientError(code, `\`Authorization\` must be \`Bearer\`, a space, and the ${what}.`);
  }
  return found;
}

async function pace(limiter: RateLimiterMemory, key: string, sentence: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch {
    throw new ClientError('rate_limited', sentence);
  }
}

/** Equal lengths, so that comparing takes the same time for every key. */
function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
