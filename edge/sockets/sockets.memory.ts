import type { Codec } from '../../proto/codec.ts';
import type { ClientFrame, ServerFrame } from '../../proto/frames.ts';
import type { Socket, SocketHandler } from './sockets.ts';

/**
 * Sockets for tests, in memory: native topics, a buffer that fills while the client does not read, and the
 * order of the contract. What a client has read is kept decoded.
 */
export class MemorySockets {
  readonly topics = new Map<string, Set<MemorySocket>>();
  published = 0;
  #serial = 0;

  open(
    codec: Codec,
    onOpen: (socket: Socket, subprotocol: Codec['subprotocol']) => SocketHandler,
  ): MemorySocket {
    const socket = new MemorySocket(++this.#serial, codec, this);
    socket.handler = onOpen(socket, codec.subprotocol);
    return socket;
  }

  readonly publish = (topic: string, bytes: Uint8Array, binary: boolean): void => {
    this.published++;
    for (const socket of [...(this.topics.get(topic) ?? [])]) {
      if (socket.codec.binary !== binary) throw new Error(`${topic} mixes encodings`);
      socket.deliver(bytes);
    }
  };
}

export class MemorySocket implements Socket {
  readonly serial: number;
  readonly address = '192.0.2.1';
  readonly codec: Codec;
  handler: SocketHandler | null = null;
  /** What the client has read. */
  readonly frames: ServerFrame[] = [];
  /** Code and reason. */
  closed: { code: number; reason: string } | null = null;
  /** false: what is sent stays in the buffer. */
  reading = true;
  bufferBytesMax = 10_000;
  drops = 0;
  readonly joined = new Set<string>();
  #buffer: Uint8Array[] = [];
  #buffered = 0;
  readonly #sockets: MemorySockets;

  constructor(serial: number, codec: Codec, sockets: MemorySockets) {
    this.serial = serial;
    this.codec = codec;
    this.#sockets = sockets;
  }

  send(bytes: Uint8Array): 'sent' | 'buffered' | 'dropped' {
    if (this.closed !== null) return 'dropped';
    return this.deliver(bytes);
  }

  deliver(bytes: Uint8Array): 'sent' | 'buffered' | 'dropped' {
    if (this.reading) {
      this.#read(bytes);
      return 'sent';
    }
    if (this.#buffered + bytes.length > this.bufferBytesMax) {
      this.drops++;
      this.handler?.onDropped();
      return 'dropped';
    }
    this.#buffer.push(bytes.slice());
    this.#buffered += bytes.length;
    return 'buffered';
  }

  join(topic: string): void {
    if (this.closed !== null) return;
    this.joined.add(topic);
    const members = this.#sockets.topics.get(topic) ?? new Set();
    members.add(this);
    this.#sockets.topics.set(topic, members);
  }

  leave(topic: string): void {
    this.joined.delete(topic);
    this.#sockets.topics.get(topic)?.delete(this);
  }

  bufferedBytes(): number {
    return this.#buffered;
  }

  end(code: number, reason: string): void {
    if (this.closed === null) this.#close(code, reason);
  }
  terminate(): void {
    if (this.closed === null) this.#close(1006, '');
  }

  /** Why it was closed, if it was. */
  closing(): { code: number; reason: string } | null {
    return this.closed;
  }

  /** The client says something. */
  say(frame: ClientFrame): void {
    this.handler?.onMessage(this.codec.encode(frame), this.codec.binary);
  }
  /** The client's end. */
  hangUp(): void {
    this.terminate();
  }
  /** The client reads all that is buffered, and goes on reading. */
  drain(): void {
    this.reading = true;
    for (const bytes of this.#buffer.splice(0)) this.#read(bytes);
    this.#buffered = 0;
    this.handler?.onDrain();
  }

  /** Frames of one kind; of one channel where `no` is given. */
  of<T extends ServerFrame['t']>(kind: T, no?: number): Extract<ServerFrame, { t: T }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { t: T }> => {
      return frame.t === kind && (no === undefined || ('no' in frame && frame.no === no));
    });
  }

  #read(bytes: Uint8Array): void {
    const frame = this.codec.decodeServer(bytes);
    if (frame === null) throw new Error('an unknown frame was sent');
    this.frames.push(frame);
  }

  #close(code: number, reason: string): void {
    for (const topic of [...this.joined]) this.leave(topic);
    this.closed = { code, reason };
    this.#buffer = [];
    this.#buffered = 0;
    const { handler } = this;
    this.handler = null;
    handler?.onClose(code);
  }
}
