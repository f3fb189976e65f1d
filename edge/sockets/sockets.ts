/**
 * The socket port: WebSockets with native topics, and HTTP on the same port. Two adapters: uWebSockets.js and ws.
 *
 * All calls and callbacks happen on the event loop's thread. Bytes given to `send` and `publish` are copied or sent
 * before the call returns, so callers may reuse buffers. Order: a `send` comes after all that was published before it
 * to a topic the socket had joined, and before all that is published after it. A socket that joins a topic gets what
 * is published from then on.
 */
export interface Socket {
  /** Adapter-independent serial number, unique in the process. */
  readonly serial: number;
  /** Client's address (text). */
  readonly address: string;
  send(bytes: Uint8Array): 'sent' | 'buffered' | 'dropped';
  join(topic: string): void;
  leave(topic: string): void;
  bufferedBytes(): number;
  /** Close frame with a code, then close. */
  end(code: number, reason: string): void;
  /** Cut without a close frame. */
  terminate(): void;
}

/** What the edge does with a socket; one object per socket, made by `onOpen`. */
export interface SocketHandler {
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /** The send buffer is empty again. */
  onDrain(): void;
  /** A message published or sent to this socket did not fit its buffer and is lost. */
  onDropped(): void;
  onClose(code: number): void;
}

export interface UpgradeRequest {
  address: string;
  origin: string | null;
  /** As offered by the client, in order. */
  subprotocols: string[];
  userAgent: string;
}
export type UpgradeAnswer =
  | { accept: true; subprotocol: 'rankcast.msgpack' | 'rankcast.json' }
  | { accept: false; status: number; headers: Record<string, string>; body: string };

export interface HttpRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string>;
  address: string;
  /** Reads the body; rejects with ClientError body_too_large beyond `maxBytes`. Resolves empty without a body. */
  body(maxBytes: number): Promise<Uint8Array>;
}
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
}

export interface SocketsOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Path that takes WebSocket upgrades. */
  socketPath: string;
  frameBytesMax: number;
  /** Bytes buffered for one socket before messages to it are dropped (and `onDropped` called). */
  bufferBytesMax: number;
  /** A socket that sends nothing (pongs count) for this long is closed. */
  idleMs: number;
  onUpgrade(request: UpgradeRequest): UpgradeAnswer;
  onOpen(socket: Socket, subprotocol: 'rankcast.msgpack' | 'rankcast.json'): SocketHandler;
  onRequest(request: HttpRequest): Promise<HttpResponse>;
}
export interface SocketServer {
  /** Name of the adapter, for logs and metrics. */
  readonly adapter: 'uws' | 'ws';
  readonly port: number;
  /** To every socket that joined `topic`; binary or text. */
  publish(topic: string, bytes: Uint8Array, binary: boolean): void;
  /** Stops accepting; open sockets stay. */
  stopListening(): void;
  close(): Promise<void>;
}
/** Rejects with a sentence when the port is taken or forbidden. */
export type SocketsFactory = (options: SocketsOptions) => Promise<SocketServer>;
