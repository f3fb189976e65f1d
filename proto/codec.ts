import type { Frame } from './frames.ts';

/** One of the two encodings. `subprotocol` is also its name in metrics. */
export interface Codec {
  readonly subprotocol: 'rankcast.msgpack' | 'rankcast.json';
  /** true: frames travel as binary messages; false: as text. */
  readonly binary: boolean;
  encode(frame: Frame): Uint8Array;
  /** Decodes and checks a client's frame. Throws `FrameError` naming what is wrong and where. */
  decodeClient(bytes: Uint8Array): import('./frames.ts').ClientFrame;
  /** Decodes an edge's frame (used by clients; trusts its shape beyond the table, ignores unknown fields). */
  decodeServer(bytes: Uint8Array): import('./frames.ts').ServerFrame | null;
}
