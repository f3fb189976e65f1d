import { ClientError } from '../../proto/codes.ts';

/** What every lookup takes, wherever it keeps it. */
export interface LookupOptions {
  valueBytesMax: number;
}
export const lookupDefaults: LookupOptions = {
  /** A snapshot of a contest with its counts and top rows is the largest: under a megabyte. */
  valueBytesMax: 4_194_304,
};

export const keysMax = 500;
const keyBytesMax = 255;

export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes >= 1 && bytes <= keyBytesMax) return;
  throw new ClientError('bad_field', `A key has ${bytes} bytes; it must have 1 to ${keyBytesMax}.`);
}

export function checkPut(key: string, fence: number, value: Uint8Array, options: LookupOptions): void {
  checkKey(key);
  if (Number.isNaN(fence)) throw new ClientError('bad_field', `The fence of "${key}" is not a number.`);
  if (value.length > options.valueBytesMax) {
    const most = options.valueBytesMax;
    const sentence = `The value of "${key}" has ${value.length} bytes; at most ${most} are taken.`;
    throw new ClientError('record_too_large', sentence);
  }
}

export function checkKeys(keys: readonly string[]): void {
  if (keys.length > keysMax) {
    const sentence = `${keys.length} keys were asked for; at most ${keysMax} are answered.`;
    throw new ClientError('bad_field', sentence);
  }
  for (const key of keys) checkKey(key);
}
