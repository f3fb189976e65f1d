import type { Codec } from '../../proto/codec.ts';
import { ranksBytesMax } from '../../proto/encode-ranks.ts';

/**
 * `ranks` frames without allocation: one buffer, and the parts of it handed out before are handed out again.
 * A frame is valid until the next one is written.
 */
export class RanksWriter {
  #buffer = new Uint8Array(0);
  #parts: (Uint8Array | undefined)[] = [];

  write(codec: Codec, no: number, version: number, rows: readonly number[], length: number): Uint8Array {
    const most = ranksBytesMax(length);
    if (this.#buffer.length < most) {
      this.#buffer = new Uint8Array(most * 2);
      this.#parts = [];
    }
    const bytes = codec.encodeRanks(this.#buffer, no, version, rows, length);
    let part = this.#parts[bytes];
    if (part === undefined) {
      part = this.#buffer.subarray(0, bytes);
      this.#parts[bytes] = part;
    }
    return part;
  }
}
