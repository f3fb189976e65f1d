import type { EncodeRanks } from './encode-ranks.ts';
import type { ClientFrame, Frame, ServerFrame } from './frames.ts';

/** One of the two encodings. `subprotocol` is also its name in metrics. */
export interface Codec {
  readonly subprotocol: 'rankcast.msgpack' | 'rankcast.json';
  /** true: frames travel as binary messages; false: as text. */
  readonly binary: boolean;
  /** Always a new array; trusts the frame's types. */
  encode(frame: Frame): Uint8Array<ArrayBuffer>;
  /** As `encode` of a `ranks` frame, without allocating: see encode-ranks.ts. */
  readonly encodeRanks: EncodeRanks;
  /**
   * Decodes and checks a client's frame. `binary` is the type of the message, where the caller knows it.
   * Throws `FrameError` (and nothing else) naming what is wrong and where.
   */
  decodeClient(bytes: Uint8Array, binary?: boolean): ClientFrame;
  /**
   * Decodes an edge's frame (used by clients; trusts its shape beyond the table, ignores unknown fields).
   * `null`: a frame this version does not know, to be ignored. Throws `FrameError` where the bytes are no
   * frame at all.
   */
  decodeServer(bytes: Uint8Array): ServerFrame | null;
}
