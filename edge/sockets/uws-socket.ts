import type * as Uws from 'uWebSockets.js';
import type { Socket, SocketHandler, Subprotocol } from './sockets.ts';

export interface SocketData {
  address: string;
  subprotocol: Subprotocol;
  /** Set by `open`; the library hands this object around as the socket itself. */
  socket: UwsSocket | null;
}
export type NativeSocket = Uws.WebSocket<SocketData>;

/** One of the library's applications: its settings are fixed, so another certificate is another one. */
export interface Application {
  app: Uws.TemplatedApp;
  listening: Uws.us_listen_socket | null;
  sockets: number;
}

/** What a socket needs of its adapter. */
export interface UwsHost {
  readonly open: Set<UwsSocket>;
  guard(callback: () => void): void;
}

const sendResults = ['buffered', 'sent', 'dropped'] as const;

export class UwsSocket implements Socket {
  readonly serial: number;
  readonly address: string;
  readonly adapter: UwsHost;
  readonly binary: boolean;
  readonly home: Application;
  native: NativeSocket | null;
  handler: SocketHandler | null = null;
  holed = false;
  stray = false;
  telling = false;

  constructor(serial: number, data: SocketData, native: NativeSocket, adapter: UwsHost, home: Application) {
    this.serial = serial;
    this.address = data.address;
    this.binary = data.subprotocol === 'rankcast.msgpack';
    this.native = native;
    this.adapter = adapter;
    this.home = home;
    home.sockets += 1;
  }

  send(bytes: Uint8Array): 'sent' | 'buffered' | 'dropped' {
    if (this.native === null || this.holed) return 'dropped';
    return sendResults[this.native.send(bytes, this.binary)] ?? 'dropped';
  }

  join(topic: string): void {
    this.native?.subscribe(topic);
  }

  leave(topic: string): void {
    this.native?.unsubscribe(topic);
  }

  bufferedBytes(): number {
    return this.native === null ? 0 : this.native.getBufferedAmount();
  }

  end(code: number, reason: string): void {
    const native = this.native;
    if (native === null) return;
    const { stray } = this;
    this.closed(code);
    // A close frame would push what waits behind the hole out first.
    if (stray) native.close();
    else native.end(code, reason);
  }

  terminate(): void {
    const native = this.native;
    if (native === null) return;
    this.closed(1006);
    native.close();
  }

  /** Once: the library's own close callback comes after `end` and `close` and finds the handler gone. */
  closed(code: number): void {
    const handler = this.handler;
    this.native = null;
    this.handler = null;
    this.adapter.open.delete(this);
    this.home.sockets -= 1;
    if (handler !== null) this.adapter.guard(() => handler.onClose(code));
  }
}
