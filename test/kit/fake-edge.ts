/** The other side of the SDK's socket, played by a test: no network, every frame said by hand. */

import type { ManualClock } from '../../channels/clock.manual.ts';
import type { WebSocketLike } from '../../client/options.ts';
import { jsonCodec } from '../../proto/codec.json.ts';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import type { Codec } from '../../proto/codec.ts';
import type { ClientFrame, ServerFrame } from '../../proto/frames.ts';

export class FakeSocket implements WebSocketLike {
  binaryType = 'blob';
  protocol = '';
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly url: string;
  readonly codec: Codec;
  readonly sent: ClientFrame[] = [];
  closedBy: 'client' | 'edge' | null = null;

  constructor(url: string, protocols: string) {
    this.url = url;
    this.codec = protocols === 'rankcast.json' ? jsonCodec : msgpackCodec;
  }
  send(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.sent.push(this.codec.decodeClient(bytes, typeof data !== 'string'));
  }
  close(): void {
    this.closedBy ??= 'client';
  }

  /** The edge's side. */
  open(): void {
    this.protocol = this.codec.subprotocol;
    (this.onopen as ((event: object) => void) | null)?.({});
  }
  say(...frames: ServerFrame[]): void {
    for (const frame of frames) {
      const bytes = this.codec.encode(frame);
      this.sayRaw(this.codec.binary ? bytes.buffer : new TextDecoder().decode(bytes));
    }
  }
  sayRaw(data: unknown): void {
    (this.onmessage as ((event: { data: unknown }) => void) | null)?.({ data });
  }
  end(code: number, reason = ''): void {
    this.closedBy ??= 'edge';
    (this.onclose as ((event: { code: number; reason: string }) => void) | null)?.({ code, reason });
  }
  /** Frames of one name that the client sent, in order. */
  heard<Name extends ClientFrame['t']>(name: Name): Extract<ClientFrame, { t: Name }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { t: Name }> => frame.t === name);
  }
}

export interface FakeEdge {
  WebSocket: new (url: string, protocols: string) => FakeSocket;
  readonly sockets: FakeSocket[];
  /** The newest. */
  readonly socket: FakeSocket;
  /** Opens the newest and says `connected`. */
  welcome(lifeMs?: number): void;
}

export const idleMs = 30_000;

export function createFakeEdge(clock: ManualClock, user = '1003'): FakeEdge {
  const sockets: FakeSocket[] = [];
  class Socket extends FakeSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const newest = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('the client has made no socket');
    return socket;
  };
  return {
    WebSocket: Socket,
    sockets,
    get socket() {
      return newest();
    },
    welcome: (lifeMs = 3_600_000) => {
      const socket = newest();
      socket.open();
      const serverTime = clock.now() + 5_000;
      const expiresAt = serverTime + lifeMs;
      socket.say({ t: 'connected', protocol: 1, session: 's1', user, expiresAt, serverTime, idleMs });
    },
  };
}
