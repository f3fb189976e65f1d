/**
 * Writes MessagePack, each value in its shortest form, so that one value has one encoding.
 *
 * Our own because integers matter here: msgpackr writes numbers of 2^32 and above (every time in ms) as
 * floats, which readers in typed languages refuse for an integer. Every safe integer is written as an integer
 * here.
 */
const utf8 = new TextEncoder();
/** Most frames are shorter; a longer one grows the buffer. */
const startBytes = 4_096;
/** A buffer that one huge value made larger than this is not kept. */
const keptBytesMax = 1_048_576;

export class MsgpackWriter {
  #bytes = new Uint8Array(startBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#at);
    this.reset();
    return taken;
  }

  reset(): void {
    this.#at = 0;
    if (this.#bytes.length > keptBytesMax) this.#resize(startBytes);
  }

  arrayHeader(length: number): void {
    this.#room(5);
    if (length < 16) this.#bytes[this.#at++] = 0x90 | length;
    else this.#header(length, 0xdc, 0xdd);
  }

  /**
   * JSON values; undefined and numbers that are not finite become nil. Keys of undefined values are left out.
   */
  value(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2);
    else if (value === null || value === undefined) this.#byte(0xc0);
    else if (Array.isArray(value)) this.#array(value);
    else if (typeof value === 'object') this.#map(value as Record<string, unknown>);
    else throw new TypeError(`A frame cannot hold a ${typeof value}.`);
  }

  #array(values: readonly unknown[]): void {
    this.arrayHeader(values.length);
    for (const value of values) this.value(value);
  }

  #map(values: Record<string, unknown>): void {
    const keys = Object.keys(values).filter((key) => values[key] !== undefined);
    this.#room(5);
    if (keys.length < 16) this.#bytes[this.#at++] = 0x80 | keys.length;
    else this.#header(keys.length, 0xde, 0xdf);
    for (const key of keys) {
      this.#text(key);
      this.value(values[key]);
    }
  }

  #header(length: number, code16: number, code32: number): void {
    if (length < 0x10000) {
      this.#bytes[this.#at] = code16;
      this.#view.setUint16(this.#at + 1, length);
      this.#at += 3;
    } else {
      this.#bytes[this.#at] = code32;
      this.#view.setUint32(this.#at + 1, length);
      this.#at += 5;
    }
  }

  #number(value: number): void {
    this.#room(9);
    if (Number.isSafeInteger(value)) {
      this.#at = writeInteger(this.#bytes, this.#at, value);
    } else if (Number.isFinite(value)) {
      this.#bytes[this.#at] = 0xcb;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    } else {
      this.#bytes[this.#at++] = 0xc0;
    }
  }

  #text(text: string): void {
    this.#room(5 + text.length * 3);
    const start = this.#at + 5;
    let length = 0;
    for (; length < text.length; length++) {
      const unit = text.charCodeAt(length);
      if (unit > 0x7f) break;
      this.#bytes[start + length] = unit;
    }
    if (length < text.length) length = utf8.encodeInto(text, this.#bytes.subarray(start)).written;
    const header = this.#textHeader(length);
    this.#bytes.copyWithin(this.#at + header, start, start + length);
    this.#at += header + length;
  }

  #textHeader(length: number): number {
    if (length < 32) {
      this.#bytes[this.#at] = 0xa0 | length;
      return 1;
    }
    if (length < 0x100) {
      this.#bytes[this.#at] = 0xd9;
      this.#bytes[this.#at + 1] = length;
      return 2;
    }
    if (length < 0x10000) {
      this.#bytes[this.#at] = 0xda;
      this.#view.setUint16(this.#at + 1, length);
      return 3;
    }
    this.#bytes[this.#at] = 0xdb;
    this.#view.setUint32(this.#at + 1, length);
    return 5;
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, this.#bytes.length * 2));
  }

  #resize(length: number): void {
    const grown = new Uint8Array(length);
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Writes a safe integer in its shortest form (up to 9 bytes) at `at`; answers where the next byte goes. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0) {
    if (value < 0x80) {
      bytes[at] = value;
      return at + 1;
    }
    if (value < 0x100) {
      bytes[at] = 0xcc;
      bytes[at + 1] = value;
      return at + 2;
    }
    if (value < 0x10000) return write16(bytes, at, 0xcd, value);
    if (value < 0x100000000) return write32(bytes, at, 0xce, value);
    return write64(bytes, at, 0xcf, value);
  }
  if (value >= -0x20) {
    bytes[at] = value & 0xff;
    return at + 1;
  }
  if (value >= -0x80) {
    bytes[at] = 0xd0;
    bytes[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value >= -0x8000) return write16(bytes, at, 0xd1, value);
  if (value >= -0x80000000) return write32(bytes, at, 0xd2, value);
  return write64(bytes, at, 0xd3, value);
}

function write16(bytes: Uint8Array, at: number, code: number, value: number): number {
  bytes[at] = code;
  bytes[at + 1] = (value >> 8) & 0xff;
  bytes[at + 2] = value & 0xff;
  return at + 3;
}

function write32(bytes: Uint8Array, at: number, code: number, value: number): number {
  bytes[at] = code;
  bytes[at + 1] = (value >>> 24) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = (value >>> 8) & 0xff;
  bytes[at + 4] = value & 0xff;
  return at + 5;
}

function write64(bytes: Uint8Array, at: number, code: number, value: number): number {
  // Two's complement in two halves: ToUint32 takes the low one modulo 2^32, for negative values as well.
  write32(bytes, at, code, Math.floor(value / 0x100000000));
  write32(bytes, at + 4, bytes[at + 4]!, value);
  return at + 9;
}
