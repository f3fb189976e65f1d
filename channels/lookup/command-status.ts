import type { CodeName } from '../../proto/codes.ts';
import type { Lookup } from './lookup.ts';

/**
 * What has become of a graph command, kept in a Lookup as `command_<id>` for 24 h: `pending` once the log has
 * it (put by who took it), `applied` or `rejected` once a graph worker has decided. What was decided is never
 * changed.
 */
export type CommandStatus =
  | { state: 'pending' }
  | { state: 'applied' }
  | { state: 'rejected'; code: CodeName; message: string };

/** As long as a command may be under way. */
const commandStatusKeptMs = 24 * 3_600_000;

function commandStatusKey(command: string): string {
  return `command_${command}`;
}

/** Says that the log has the command. Comes too late where a worker was quicker, and then changes nothing. */
export function putPending(lookup: Lookup, command: string): Promise<void> {
  return lookup.put(
    commandStatusKey(command),
    pendingFence,
    encode({ state: 'pending' }),
    commandStatusKeptMs,
  );
}

/**
 * Says what was decided. Not to be called for a command that was decided before: the first decision stands.
 */
export function putDecided(lookup: Lookup, command: string, status: CommandStatus): Promise<void> {
  return lookup.put(commandStatusKey(command), decidedFence, encode(status), commandStatusKeptMs);
}

/** States in the order of the commands (at most 500), `null` for an unknown one. */
export async function commandStatuses(
  lookup: Lookup,
  commands: readonly string[],
): Promise<(CommandStatus | null)[]> {
  const values = await lookup.get(commands.map(commandStatusKey));
  return values.map((value) => (value === null ? null : decode(value)));
}

const pendingFence = 0;
const decidedFence = 1;

function encode(status: CommandStatus): Uint8Array {
  return Buffer.from(JSON.stringify(status));
}

function decode(value: Uint8Array): CommandStatus {
  return JSON.parse(
    Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(),
  ) as CommandStatus;
}
