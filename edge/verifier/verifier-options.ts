import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Exactly one of the three keys is given; the others are empty. */
export interface VerifierOptions {
  /** HS256: a shared secret, UTF-8. */
  tokenSecret: string;
  /** RS256, ES256 or EdDSA, as the key is: PEM or JWK text. */
  tokenPublicKey: string;
  /** RS256, ES256 and EdDSA keys by `kid`, fetched and rotated. */
  tokenJwksUrl: string;
  /** Of RS256, ES256 and EdDSA, those taken with a public key or a JWKS URL; empty: all that fit the key. */
  tokenAlgorithms: string[];
  /** Where not empty, tokens must have this `iss`. */
  tokenIssuer: string;
  /** Where not empty, tokens must have this `aud`. */
  tokenAudience: string;
  tokenSkewMs: number;
  tokenCacheMax: number;
  jwksRefreshMs: number;
  jwksCooldownMs: number;
  jwksRetryMs: number;
  jwksTimeoutMs: number;
}

export const verifierDefaults: VerifierOptions = {
  tokenSecret: '',
  tokenPublicKey: '',
  tokenJwksUrl: '',
  tokenAlgorithms: [],
  tokenIssuer: '',
  tokenAudience: '',
  // Servers that keep time by NTP differ by milliseconds; a second is a wide margin, and sockets end so much
  // later.
  tokenSkewMs: 1_000,
  // About 200 bytes each: 20 MB for as many users as one edge holds sockets on a small machine.
  tokenCacheMax: 100_000,
  // A key taken out of the set is refused after this. Providers keep old keys for hours; they ask for
  // minutes.
  jwksRefreshMs: 300_000,
  // Tokens with made-up key ids must not make the edge hammer the provider.
  jwksCooldownMs: 10_000,
  // After a failed fetch: soon, as sockets may be waiting for it, but not with each of them.
  jwksRetryMs: 1_000,
  // A client waits this long at most for its first answer when the provider hangs.
  jwksTimeoutMs: 3_000,
};

/** RFC 7518, 3.2: a key of HS256 has at least as many bits as its hash. */
export const tokenSecretBytesMin = 32;

const publicAlgorithms = ['RS256', 'ES256', 'EdDSA'];

/** Those of `fitting` that are wanted; `Ed25519` is the newer name of `EdDSA` with that curve. */
export function acceptedAlgorithms(fitting: readonly string[], wanted: readonly string[]): string[] {
  if (wanted.length === 0) return [...fitting];
  return fitting.filter((name) => wanted.includes(name === 'Ed25519' ? 'EdDSA' : name));
}

/** What is wrong with the options, a sentence each; empty when nothing is. */
export function verifierFaults(options: VerifierOptions): string[] {
  const { tokenSecret, tokenPublicKey, tokenJwksUrl } = options;
  const given = [tokenSecret, tokenPublicKey, tokenJwksUrl].filter((value) => value !== '').length;
  const faults: string[] = [];
  if (given === 0) {
    faults.push('No key for tokens: one of tokenSecret, tokenPublicKey and tokenJwksUrl is needed.');
  }
  if (given > 1) {
    faults.push(
      'More than one key for tokens: give only one of tokenSecret, tokenPublicKey and tokenJwksUrl.',
    );
  }
  const secretBytes = Buffer.byteLength(tokenSecret);
  if (tokenSecret !== '' && secretBytes < tokenSecretBytesMin) {
    faults.push(`tokenSecret is ${secretBytes} bytes long; at least ${tokenSecretBytesMin} are needed.`);
  }
  if (tokenPublicKey !== '') faults.push(...publicKeyFaults(tokenPublicKey, options.tokenAlgorithms));
  const unknown = options.tokenAlgorithms.filter((name) => !publicAlgorithms.includes(name));
  if (unknown.length > 0) {
    faults.push(`tokenAlgorithms names ${unknown.join(', ')}; ${publicAlgorithms.join(', ')} are known.`);
  }
  if (tokenJwksUrl !== '' && !isHttpUrl(tokenJwksUrl)) {
    faults.push(`tokenJwksUrl is not an http or https URL: ${JSON.stringify(tokenJwksUrl)}.`);
  }
  return faults;
}

/** PEM or JWK text, with the algorithms that fit the key. Throws a sentence. */
export function readPublicKey(text: string): { key: KeyObject; algorithms: string[] } {
  const key = parseKey(text);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'rsa') {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < 2048)
      throw new Error(`tokenPublicKey is an RSA key of ${bits} bits; at least 2048 are needed.`);
    return { key, algorithms: ['RS256'] };
  }
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return { key, algorithms: ['ES256'] };
  if (key.asymmetricKeyType === 'ed25519') return { key, algorithms: ['EdDSA', 'Ed25519'] };
  const kind = [key.asymmetricKeyType, curve].filter(Boolean).join(' ');
  throw new Error(`tokenPublicKey is of kind ${kind}; RSA, EC P-256 and Ed25519 are taken.`);
}

function parseKey(text: string): KeyObject {
  if (/PRIVATE KEY|"d"\s*:/.test(text)) {
    throw new Error('tokenPublicKey is a private key; only the public one belongs here.');
  }
  try {
    if (text.trimStart().startsWith('{')) {
      return createPublicKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' });
    }
    return createPublicKey(text);
  } catch (error) {
    throw new Error('tokenPublicKey is neither a public key in PEM nor a JWK.', { cause: error });
  }
}

function publicKeyFaults(text: string, wanted: readonly string[]): string[] {
  try {
    const { algorithms } = readPublicKey(text);
    if (acceptedAlgorithms(algorithms, wanted).length > 0) return [];
    return [`tokenPublicKey is a key for ${algorithms[0]}, which tokenAlgorithms does not name.`];
  } catch (error) {
    return [(error as Error).message];
  }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
