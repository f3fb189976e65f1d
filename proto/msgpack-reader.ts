/**
 * Reads MessagePack of unknown origin: JSON's values only, strictly.
 *
 * Our own because the input may be hostile: msgpackr takes broken UTF-8, the unused byte c1 and its own
 * extensions (record definitions, dates, errors) from anybody. Here strings are checked, lengths are believed
 * only as far as there are bytes, nesting is bounded, and extensions and byte strings are refused. Tests
 * compare both readers.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Below this length a string of ASCII is put together faster than a TextDecoder is called. */
const shortTextBytes = 24;

export type Scalar = string | number | boolean | null;

export class MsgpackReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fault: (message: string) => Error;
  #at = 0;

  /** `fault` makes the error that is thrown, from a sentence. */
  constructor(bytes: Uint8Array, fault: (message: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#fault = fault;
  }

  get bytesLeft(): number {
    return this.#bytes.length - this.#at;
  }

  /** Number of elements of the array that begins here; `where` names it in sentences. */
  arrayHeader(where: string): number {
    const code = this.#next(where);
    const length = this.#arrayLength(code, where);
    if (length < 0) throw this.#fault(`${where} must be a MessagePack array, not ${typeOf(code)}.`);
    return length;
  }

  /** A string, number, boolean or nil. */
  scalar(where: string): Scalar {
    const code = this.#next(where);
    const value = this.#scalar(code, where);
    if (value === undefined) {
      throw this.#fault(`${where} must be a string or a number, not ${typeOf(code)}.`);
    }
    return value;
  }

  /** Any value, nested at most `depthMax` deep. */
  value(where: string, depthMax: number): unknown {
    const code = this.#next(where);
    const scalar = this.#scalar(code, where);
    if (scalar !== undefined) return scalar;
    const length = this.#arrayLength(code, where);
    const entries = length < 0 ? this.#mapLength(code, where) : -1;
    if (length < 0 && entries < 0) throw this.#fault(`${where} must not hold ${typeOf(code)}.`);
    if (depthMax === 0) throw this.#fault(`${where} is nested too deep.`);
    return length < 0 ? this.#map(entries, where, depthMax - 1) : this.#array(length, where, depthMax - 1);
  }

  /** After the last value: nothing may follow. */
  end(where: string): void {
    if (this.bytesLeft > 0) throw this.#fault(`${this.bytesLeft} bytes follow ${where}.`);
  }

  #array(length: number, where: string, depthMax: number): unknown[] {
    const values: unknown[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(where, depthMax));
    return values;
  }

  #map(entries: number, where: string, depthMax: number): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < entries; i++) {
      const key = this.#scalar(this.#next(where), where);
      if (typeof key !== 'string') throw this.#fault(`A key of a map in ${where} is not a string.`);
      const value = this.value(where, depthMax);
      if (key === '__proto__') {
        // As JSON.parse does: a field of that name, not the prototype.
        Object.defineProperty(values, key, { value, writable: true, enumerable: true, configurable: true });
      } else {
        values[key] = value;
      }
    }
    return values;
  }

  /** undefined: not a scalar; nothing but the code was read. */
  #scalar(code: number, where: string): Scalar | undefined {
    if (code <= 0x7f) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code >= 0xa0 && code <= 0xbf) return this.#text(code & 0x1f, where);
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#view.getFloat32(this.#skip(4, where));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8, where));
      case 0xcc:
        return this.#uint8(where);
      case 0xcd:
        return this.#uint16(where);
      case 0xce:
        return this.#uint32(where);
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#skip(8, where)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1, where));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2, where));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4, where));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#skip(8, where)));
      case 0xd9:
        return this.#text(this.#uint8(where), where);
      case 0xda:
        return this.#text(this.#uint16(where), where);
      case 0xdb:
        return this.#text(this.#uint32(where), where);
      default:
        return undefined;
    }
  }

  /** -1: not an array. A length beyond the bytes there are is a fault: every element takes one at least. */
  #arrayLength(code: number, where: string): number {
    let length = -1;
    if (code >= 0x90 && code <= 0x9f) length = code & 0x0f;
    else if (code === 0xdc) length = this.#uint16(where);
    else if (code === 0xdd) length = this.#uint32(where);
    if (length > this.bytesLeft) throw this.#fault(`The message ends within ${where}.`);
    return length;
  }

  #mapLength(code: number, where: string): number {
    let length = -1;
    if (code >= 0x80 && code <= 0x8f) length = code & 0x0f;
    else if (code === 0xde) length = this.#uint16(where);
    else if (code === 0xdf) length = this.#uint32(where);
    if (length * 2 > this.bytesLeft) throw this.#fault(`The message ends within ${where}.`);
    return length;
  }

  #next(where: string): number {
    if (this.bytesLeft === 0) throw this.#fault(`The message ends before ${where}.`);
    return this.#bytes[this.#at++]!;
  }

  #uint8(where: string): number {
    return this.#view.getUint8(this.#skip(1, where));
  }

  #uint16(where: string): number {
    return this.#view.getUint16(this.#skip(2, where));
  }

  #uint32(where: string): number {
    return this.#view.getUint32(this.#skip(4, where));
  }

  #text(bytes: number, where: string): string {
    const at = this.#skip(bytes, where);
    if (bytes <= shortTextBytes) {
      let text = '';
      let i = at;
      for (; i < at + bytes && this.#bytes[i]! < 0x80; i++) text += String.fromCharCode(this.#bytes[i]!);
      if (i === at + bytes) return text;
    }
    try {
      return utf8.decode(this.#bytes.subarray(at, at + bytes));
    } catch {
      throw this.#fault(`${where} is not valid UTF-8.`);
    }
  }

  /** Where the next `bytes` begin; they are read past. */
  #skip(bytes: number, where: string): number {
    if (this.bytesLeft < bytes) throw this.#fault(`The message ends within ${where}.`);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

function typeOf(code: number): string {
  if (code <= 0x7f || code >= 0xe0 || (code >= 0xca && code <= 0xd3)) return 'a number';
  if (code <= 0x8f || code === 0xde || code === 0xdf) return 'a map';
  if (code <= 0x9f || code === 0xdc || code === 0xdd) return 'an array';
  if (code <= 0xbf || (code >= 0xd9 && code <= 0xdb)) return 'a string';
  if (code >= 0xc4 && code <= 0xc6) return 'bytes';
  if (code === 0xc0) return 'nil';
  if (code === 0xc1) return 'the byte c1, which MessagePack does not use';
  return code === 0xc2 || code === 0xc3 ? 'a boolean' : 'an extension';
}
