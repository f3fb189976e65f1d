import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import { isId } from '../../proto/record-fields.ts';
import { quote } from '../../proto/text.ts';
import { createJwks } from './jwks.ts';
import { plainHs256 } from './plain-hs256.ts';
import { tokenError } from './token-error.ts';
import type { Identity, Verifier } from './verifier.ts';
import {
  acceptedAlgorithms,
  readPublicKey,
  type VerifierOptions,
  verifierFaults,
} from './verifier-options.ts';

export interface VerifierParts {
  options: VerifierOptions;
  clock: Clock;
  logger: Logger;
}

/** Claims of a token whose signature fits. */
type Check = (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;

/** Throws, naming every wrong option, where `verifierFaults` finds any. */
export function createVerifier({ options, clock, logger }: VerifierParts): Verifier {
  const faults = verifierFaults(options);
  if (faults.length > 0) throw new Error(faults.join(' '));
  const cache = createTokenCache(options.tokenCacheMax, clock);
  const source = createCheck(options, clock, logger, cache.clear);

  async function check(token: string): Promise<Identity> {
    const demands: JWTVerifyOptions = {
      algorithms: source.algorithms,
      clockTolerance: options.tokenSkewMs / 1_000,
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'exp'],
    };
    if (options.tokenIssuer !== '') demands.issuer = options.tokenIssuer;
    if (options.tokenAudience !== '') demands.audience = options.tokenAudience;
    try {
      return identityOf(await source.check(token, demands), options.tokenSkewMs);
    } catch (error) {
      if (error instanceof ClientError || error instanceof ServiceError) throw error;
      throw tokenError(error);
    }
  }

  return {
    async verify(token) {
      checkShape(token);
      return cache.take(createHash('sha256').update(token).digest('base64'), () => check(token));
    },
    close: source.close,
  };
}

function checkShape(token: string): void {
  if (token === '') throw new ClientError('invalid_token', 'The token is empty.');
  if (token.length > limits.tokenBytesMax) {
    const message = `The token is ${token.length} characters long; ${limits.tokenBytesMax} are allowed.`;
    throw new ClientError('invalid_token', message);
  }
}

function identityOf(claims: JWTPayload, skewMs: number): Identity {
  const { sub, exp } = claims;
  if (!isId(sub)) {
    const message = `\`sub\` of the token is ${quote(sub)}; a user id is 1 to 36 of A-Z, a-z, 0-9, _ and -.`;
    throw new ClientError('invalid_token', message);
  }
  const expiresAt = Math.floor(Number(exp) * 1_000) + skewMs;
  if (!(expiresAt > 0 && expiresAt <= limits.timeMsMax)) {
    throw new ClientError('invalid_token', '`exp` of the token is not a time in seconds.');
  }
  return { user: sub, expiresAt };
}

/** The key, imported once, and the algorithms that fit it. */
function createCheck(
  options: VerifierOptions,
  clock: Clock,
  logger: Logger,
  onGone: () => void,
): { algorithms: string[]; check: Check; close(): void } {
  if (options.tokenSecret !== '') return ofSecret(options, clock);
  if (options.tokenPublicKey !== '') {
    const { key, algorithms } = readPublicKey(options.tokenPublicKey);
    return ofOneKey(key, acceptedAlgorithms(algorithms, options.tokenAlgorithms));
  }
  const jwks = createJwks(options, clock, logger, onGone);
  const check: Check = async (token, demands) => {
    try {
      return await verifyWithSet(token, await jwks.keys(), demands);
    } catch (error) {
      // An unknown key id, or a changed key of the same id: the set may have been rotated.
      const rotated =
        error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
      if (!rotated || !(await jwks.renew())) throw error;
      return verifyWithSet(token, await jwks.keys(), demands);
    }
  };
  const algorithms = acceptedAlgorithms(['RS256', 'ES256', 'EdDSA', 'Ed25519'], options.tokenAlgorithms);
  return { algorithms, check, close: jwks.close };
}

function ofSecret(options: VerifierOptions, clock: Clock) {
  const key = createSecretKey(options.tokenSecret, 'utf8');
  const { algorithms, check, close } = ofOneKey(key, ['HS256']);
  const fixed = {
    skewSeconds: options.tokenSkewMs / 1_000,
    issuer: options.tokenIssuer,
    audience: options.tokenAudience,
  };
  const quick: Check = async (token, demands) => {
    const nowSeconds = Math.floor(clock.now() / 1_000);
    return plainHs256(token, key, { ...fixed, nowSeconds }) ?? check(token, demands);
  };
  return { algorithms, check: quick, close };
}

function ofOneKey(
  key: KeyObject,
  algorithms: string[],
): { algorithms: string[]; check: Check; close(): void } {
  const check: Check = async (token, demands) => (await jwtVerify(token, key, demands)).payload;
  return { algorithms, check, close: () => {} };
}

/** A token without `kid` may fit several keys: one of them must have signed it. */
async function verifyWithSet(token: string, keys: JWTVerifyGetKey, demands: JWTVerifyOptions) {
  try {
    return (await jwtVerify(token, keys, demands)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, demands)).payload;
      } catch (each) {
        if (!(each instanceof errors.JWSSignatureVerificationFailed)) throw each;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/**
 * Identities by the hash of their token, the longest unused going first. What is being checked is waited for.
 */
function createTokenCache(countMax: number, clock: Clock) {
  const known = new Map<string, Identity>();
  const waiting = new Map<string, Promise<Identity>>();
  let generation = 0;

  async function fill(hash: string, check: () => Promise<Identity>): Promise<Identity> {
    const began = generation;
    try {
      const identity = await check();
      if (began === generation) {
        if (known.size >= countMax) known.delete(known.keys().next().value ?? hash);
        if (countMax > 0) known.set(hash, identity);
      }
      return identity;
    } finally {
      waiting.delete(hash);
    }
  }

  return {
    take(hash: string, check: () => Promise<Identity>): Promise<Identity> {
      const identity = known.get(hash);
      if (identity !== undefined) {
        known.delete(hash);
        if (identity.expiresAt > clock.now()) {
          known.set(hash, identity);
          return Promise.resolve(identity);
        }
      }
      let promise = waiting.get(hash);
      if (promise === undefined) {
        promise = fill(hash, check);
        waiting.set(hash, promise);
      }
      return promise;
    },
    /** A key is gone: what it signed must be looked at again. */
    clear(): void {
      generation += 1;
      known.clear();
    },
  };
}
