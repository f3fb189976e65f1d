import { ServiceError } from '../../proto/codes.ts';

/**
 * What an error of a command means:
 * - `lost`: the connection ended; whether the command was done is not known
 * - `moved`: the server no longer has the slot, or is a replica now: the topology is to be read again
 * - `unscripted`: the server has forgotten the scripts
 * - `busy`: not now, by its own word
 * - `full`: out of memory or disk: refused, and will be for a while
 * - `final`: it would be refused again
 */
export type Fault = 'lost' | 'moved' | 'unscripted' | 'busy' | 'full' | 'final';

const byWord: Readonly<Record<string, Fault>> = {
  MOVED: 'moved',
  READONLY: 'moved',
  NOSCRIPT: 'unscripted',
  ASK: 'busy',
  TRYAGAIN: 'busy',
  CLUSTERDOWN: 'busy',
  LOADING: 'busy',
  BUSY: 'busy',
  MASTERDOWN: 'busy',
  NOREPLICAS: 'busy',
  UNKILLABLE: 'busy',
  OOM: 'full',
  MISCONF: 'full',
};

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return 'final';
  if (error.name !== 'ReplyError') return 'lost';
  return byWord[error.message.split(' ', 1)[0]!] ?? 'final';
}

export function serviceError(what: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ServiceError(`${what}: ${why}`, faultOf(error) !== 'final', error);
}
export const closedError = (): ServiceError => new ServiceError('The bus is closed.', false);

/** Why messages may have been missed. */
export type ResetReason = 'closed' | 'silent' | 'deaf' | 'moved' | 'epoch';

/** Why a subscriber connection is given up. */
export class Interruption extends Error {
  readonly reason: ResetReason;
  constructor(reason: ResetReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
