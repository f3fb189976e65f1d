import { ServiceError } from '../../proto/codes.ts';

/** What a command's exit code says. 2 is for the command line itself and its options (`ConfigError`). */
export const exitCodes = { failed: 1, usage: 2, unreachable: 3 } as const;

/** A failure whose message is all that the user needs to see. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(kind: keyof typeof exitCodes, message: string) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCodes[kind];
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ServiceError && error.retryable ? exitCodes.unreachable : exitCodes.failed;
}
