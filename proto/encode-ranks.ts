/**
 * The `ranks` frame, written straight into the caller's buffer: it is made for every viewer at every tick.
 * Nothing is allocated; the bytes are those of the codec's `encode`.
 */
import { frameTable } from './frames.ts';
import { writeInteger } from './msgpack-writer.ts';

/**
 * Writes the frame at the beginning of `target`, which has at least `ranksBytesMax(length)` bytes
 * (RangeError), and answers its length in bytes. `rows` holds safe integers, the first `length` of which
 * are the frame's.
 */
export type EncodeRanks = (
  target: Uint8Array,
  no: number,
  version: number,
  rows: ArrayLike<number>,
  length: number,
) => number;

/** Bytes that a frame of `length` numbers has at most, in either encoding. */
export function ranksBytesMax(length: number): number {
  return 64 + (length + 2) * 18;
}

export const encodeRanksMsgpack: EncodeRanks = (target, no, version, rows, length) => {
  checkRoom(target, length);
  target[0] = 0x94;
  target[1] = frameTable.ranks.no;
  let at = writeInteger(target, 2, no);
  at = writeInteger(target, at, version);
  at = writeArrayHeader(target, at, length);
  for (let i = 0; i < length; i++) at = writeInteger(target, at, rows[i]!);
  return at;
};

function writeArrayHeader(target: Uint8Array, at: number, length: number): number {
  if (length < 16) {
    target[at] = 0x90 | length;
    return at + 1;
  }
  if (length >= 0x10000) {
    target[at] = 0xdd;
    target[at + 1] = (length >>> 24) & 0xff;
    target[at + 2] = (length >>> 16) & 0xff;
    at += 2;
  } else {
    target[at] = 0xdc;
  }
  target[at + 1] = (length >>> 8) & 0xff;
  target[at + 2] = length & 0xff;
  return at + 3;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = ascii('{"t":"ranks","no":');
const beforeVersion = ascii(',"version":');
const beforeRows = ascii(',"rows":[');

export const encodeRanksJson: EncodeRanks = (target, no, version, rows, length) => {
  checkRoom(target, length);
  target.set(head, 0);
  let at = writeDigits(target, head.length, no);
  target.set(beforeVersion, at);
  at = writeDigits(target, at + beforeVersion.length, version);
  target.set(beforeRows, at);
  at += beforeRows.length;
  for (let i = 0; i < length; i++) {
    if (i > 0) target[at++] = 0x2c;
    at = writeDigits(target, at, rows[i]!);
  }
  target[at] = 0x5d;
  target[at + 1] = 0x7d;
  return at + 2;
};

function writeDigits(target: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    target[at++] = 0x2d;
    value = -value;
  }
  let digits = 1;
  for (let power = 10; value >= power; power *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = Math.floor(value / 10);
    target[i] = 0x30 + (value - rest * 10);
    value = rest;
  }
  return at + digits;
}

function checkRoom(target: Uint8Array, length: number): void {
  if (target.length < ranksBytesMax(length)) {
    throw new RangeError(`${length} numbers need ${ranksBytesMax(length)} bytes, not ${target.length}.`);
  }
}
