import { mintToken } from '../../edge/verifier/mint-token.ts';
import { ConfigError } from '../options.ts';
import { idProblems, tokenSecretProblems } from './flag-checks.ts';

interface TokenFlags {
  user: string;
  tokenSecret?: string;
  ttlS: string;
}

/** Prints a token and nothing else, so that it can stand in a command substitution. */
export async function token(flags: TokenFlags): Promise<void> {
  const secret = flags.tokenSecret ?? process.env['RANKCAST_TOKEN_SECRET'] ?? '';
  const ttlS = Number(flags.ttlS);
  const problems = tokenSecretProblems(secret);
  if (!Number.isSafeInteger(ttlS) || ttlS < 1)
    problems.push(`--ttl-s: "${flags.ttlS}" is not a number of seconds`);
  problems.push(...idProblems('--user', flags.user));
  if (problems.length > 0) throw new ConfigError(problems);
  process.stdout.write(`${await mintToken({ secret, user: flags.user, ttlMs: ttlS * 1000 })}\n`);
}
