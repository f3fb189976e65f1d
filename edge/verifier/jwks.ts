/**
 * The keys of a JWKS URL: fetched when first needed, again when old or when a token names an unknown key,
 * kept while the URL fails.
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { VerifierOptions } from './verifier-options.ts';

/** A hundred RSA keys; a provider has three. */
const jwksBytesMax = 65_536;

export interface Jwks {
  /** The keys known; fetches where none is. Begins to fetch in the background when they are old. */
  keys(): Promise<JWTVerifyGetKey>;
  /** Fetches again, unless that was done within the cooldown; answers whether the keys are other ones now. */
  renew(): Promise<boolean>;
  close(): void;
}

export type JwksOptions = Pick<
  VerifierOptions,
  'tokenJwksUrl' | 'jwksRefreshMs' | 'jwksCooldownMs' | 'jwksRetryMs' | 'jwksTimeoutMs'
>;

/** `onGone` is called when a key known before has left the set. */
export function createJwks(options: JwksOptions, clock: Clock, logger: Logger, onGone: () => void): Jwks {
  const closing = new AbortController();
  let keySet: JWTVerifyGetKey | null = null;
  let text = new Set<string>();
  let fetchedAt = 0;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failed = false;
  let fetching: Promise<boolean> | null = null;

  function refresh(): Promise<boolean> {
    fetching ??= fetchKeys().finally(() => {
      fetching = null;
    });
    return fetching;
  }

  async function fetchKeys(): Promise<boolean> {
    triedAt = clock.now();
    try {
      const set = await download(options, closing.signal);
      keySet = createLocalJWKSet(set);
      const now = new Set(set.keys.map((key) => JSON.stringify(key)));
      const gone = [...text].some((key) => !now.has(key));
      const changed = gone || now.size !== text.size;
      text = now;
      fetchedAt = clock.now();
      failed = false;
      if (gone) onGone();
      return changed;
    } catch (error) {
      failed = true;
      logger.warn({ err: error, url: options.tokenJwksUrl }, 'The keys for tokens could not be fetched.');
      if (keySet === null) throw new ServiceError('The keys for tokens cannot be fetched now.', true, error);
      return false;
    }
  }

  function mayTry(): boolean {
    return clock.now() - triedAt >= (failed ? options.jwksRetryMs : options.jwksCooldownMs);
  }

  return {
    async keys() {
      if (keySet === null) {
        if (fetching === null && !mayTry()) {
          throw new ServiceError('The keys for tokens cannot be fetched now.', true);
        }
        await refresh();
      } else if (clock.now() - fetchedAt > options.jwksRefreshMs && mayTry()) void refresh();
      if (keySet === null) throw new ServiceError('The keys for tokens cannot be fetched now.', true);
      return keySet;
    },
    renew() {
      return fetching ?? (mayTry() ? refresh() : Promise.resolve(false));
    },
    close() {
      closing.abort();
    },
  };
}

async function download(options: JwksOptions, closing: AbortSignal): Promise<JSONWebKeySet> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(options.jwksTimeoutMs)]);
  const response = await fetch(options.tokenJwksUrl, { signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The URL answered ${response.status}.`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > jwksBytesMax) throw new Error(`The key set is longer than ${jwksBytesMax} bytes.`);
    chunks.push(chunk);
  }
  const set = JSON.parse(Buffer.concat(chunks).toString()) as Partial<JSONWebKeySet>;
  if (!Array.isArray(set.keys) || set.keys.length === 0) throw new Error('The answer is not a key set.');
  return set as JSONWebKeySet;
}
