import { isId } from '../../proto/record-fields.ts';
import { secretCharsMin } from '../option-schemas.ts';

/** What is wrong with an id given by `flag`; none where nothing is. */
export function idProblems(flag: string, id: string): string[] {
  return isId(id) ? [] : [`${flag}: ${JSON.stringify(id)} is not an id (1 to 36 of A-Z a-z 0-9 _ -)`];
}

/** What is wrong with the shared secret of a command that mints tokens; never shows it. */
export function tokenSecretProblems(secret: string): string[] {
  if (secret.length >= secretCharsMin) return [];
  return [`--token-secret (or RANKCAST_TOKEN_SECRET) must have at least ${secretCharsMin} characters`];
}
