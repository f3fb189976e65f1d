import type { Codec } from '../../proto/codec.ts';
import type { StoredMessage } from '../bus/bus.ts';

const text = new TextDecoder();

/**
 * A message of a log channel and its frames: each codec's is made when the first socket needs it, and kept.
 */
export class LogItem {
  readonly position: number;
  readonly bytes: number;
  readonly #no: number;
  readonly #message: StoredMessage;
  #binary: Uint8Array | null = null;
  #text: Uint8Array | null = null;

  constructor(no: number, message: StoredMessage) {
    this.#no = no;
    this.#message = message;
    this.position = message.position;
    this.bytes = message.data.length + 64;
  }

  frame(codec: Codec): Uint8Array {
    const kept = codec.binary ? this.#binary : this.#text;
    if (kept !== null) return kept;
    const { position, at, id, data } = this.#message;
    const made = codec.encode({ t: 'message', no: this.#no, position, at, id, data: parsed(data) });
    if (codec.binary) this.#binary = made;
    else this.#text = made;
    return made;
  }
}

/** Writers append JSON text. What is not JSON goes out as null: its position must not be missing. */
function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(text.decode(data));
  } catch {
    return null;
  }
}
