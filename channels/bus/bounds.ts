import { ClientError } from '../../proto/codes.ts';
import type { LogMessage } from './bus.ts';

/** The bounds of [BUS-16], the same for every implementation. */

const nameBytesMax = 255;

/** Throws a `ClientError` for a message that may not be appended. */
export function checkMessage(channel: string, message: LogMessage, messageBytesMax: number): void {
  checkName('A channel’s name', channel);
  checkName('A message’s id', message.id);
  if (message.data.length > messageBytesMax) {
    throw new ClientError(
      'record_too_large',
      `The message "${message.id}" for ${channel} has ${message.data.length} bytes; ` +
        `at most ${messageBytesMax} are taken.`,
    );
  }
}

function checkName(what: string, name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes >= 1 && bytes <= nameBytesMax) return;
  throw new ClientError('bad_field', `${what} has ${bytes} bytes; it must have 1 to ${nameBytesMax}.`);
}
