/** Checks tokens. Rejects with ClientError `invalid_token` (a sentence says why, never the token). */
export interface Verifier {
  verify(token: string): Promise<Identity>;
  close(): void;
}
export interface Identity {
  user: string;
  /** ms since the epoch. */
  expiresAt: number;
}
