/**
 * Checks tokens (JSON Web Tokens).
 *
 * [VER-1] A token is taken if it is signed by the configured key with an algorithm accepted here, and
 *   rejected with `invalid_token` otherwise. Algorithms come from the configuration, never from the token
 *   alone: `none`, and a public key used as a shared secret, are refused.
 * [VER-2] `sub` is the user: 1 to 36 bytes of [A-Za-z0-9_-]. `exp` is required; `nbf` is honoured; both
 *   within the clock skew allowed. `iss` and `aud` are compared where the configuration names them.
 * [VER-3] Every rejection is a sentence that says what is wrong, and never repeats the token.
 * [VER-4] A token is verified once: the same token again, also at the same time, is answered from a bounded
 *   cache until it ends.
 * [VER-5] Keys of a JWKS URL: a token of an unknown key makes the set be fetched again, at most once in the
 *   cooldown, once for all who wait. A key that left the set no longer counts once the set has been fetched.
 * [VER-6] While the URL fails, the keys known so far go on; where none is known the answer is a retryable
 *   `ServiceError`, not `invalid_token`.
 */
export interface Verifier {
  verify(token: string): Promise<Identity>;
  close(): void;
}
export interface Identity {
  user: string;
  /** ms since the epoch; the clock skew allowed is within. */
  expiresAt: number;
}
