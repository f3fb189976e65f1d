import { mintToken } from '../../edge/verifier/mint-token.ts';
import { ConfigError } from '../options.ts';

interface TokenFlags {
  user: string;
  tokenSecret?: string;
  ttlS: string;
}
const secretCharsMin = 32;

/** Prints a token and nothing else, so that it can stand in a command substitution. */
export async function token(flags: TokenFlags): Promise<void> {
  const secret = flags.tokenSecret ?? process.env['RANKCAST_TOKEN_SECRET'] ?? '';
  const ttlS = Number(flags.ttlS);
  const problems: string[] = [];
  if (secret.length < secretCharsMin) {
    problems.push(
      `--token-secret (or RANKCAST_TOKEN_SECRET) must have at least ${secretCharsMin} characters`,
    );
  }
  if (!Number.isSafeInteger(ttlS) || ttlS < 1)
    problems.push(`--ttl-s: "${flags.ttlS}" is not a number of seconds`);
  if (!/^[A-Za-z0-9_-]{1,36}$/.test(flags.user)) {
    problems.push(`--user: ${JSON.stringify(flags.user)} is not an id (1 to 36 of A-Z a-z 0-9 _ -)`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  process.stdout.write(`${await mintToken({ secret, user: flags.user, ttlMs: ttlS * 1000 })}\n`);
}
