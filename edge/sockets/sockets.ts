/**
 * The socket port: WebSockets with native topics, and HTTP on the same port. Two adapters: uWebSockets.js and
 * ws.
 *
 * All calls and callbacks happen on the event loop's thread. Bytes given to `send` and `publish` are copied
 * or sent before the call returns, so callers may reuse buffers.
 *
 * Laws (sockets.conformance.ts runs them on both adapters):
 *
 * Order and topics
 * [SOCK-1] A `send` comes after all that was published before it to a topic the socket had joined, and before
 *   all that is published after it; sends keep their order.
 * [SOCK-2] A socket that joins a topic gets what is published from then on, also in the same turn; nothing
 *   older.
 * [SOCK-3] After `leave` nothing published from then on arrives; joining twice delivers once.
 * [SOCK-4] What is published as binary arrives binary, as text text; `send` follows the subprotocol (msgpack:
 *   binary).
 * [SOCK-5] Bytes may be changed by the caller once `send` or `publish` has returned.
 *
 * Bounds
 * [SOCK-6] A frame longer than `frameBytesMax` is not handed over: the socket is ended with 4502. One beyond
 *   `frameHardFactor` times that may be cut off by the library (client sees 1009 or 1006).
 * [SOCK-7] While more than `bufferBytesMax` are buffered for a socket, messages to it are dropped: `send`
 *   answers `dropped`. The bound is overstepped by one message at most. Other sockets get theirs.
 * [SOCK-8] After a drop nothing that comes later reaches the socket before `onDropped` is called, but for the
 *   publication or `send` that met the drop; until then `send` answers `dropped`. The call comes in the next
 *   turn at the latest, never inside `send`; it may come inside `publish`, and may leave, join, send and end.
 *   Several drops may be told by one call. If the handler ends the socket within it, nothing published
 *   arrives behind the hole (the close code may then be lost: 1006).
 * [SOCK-9] `onDrain` is called when a buffer that was not empty is empty again, and always some time after an
 *   `onDropped`, unless the socket closes first. It may come once too often; never inside `send` or
 *   `publish`.
 *
 * Life
 * [SOCK-10] `end(code, reason)` sends a close frame behind what is buffered; the client sees code and reason
 *   (1006 if the buffer was over its bound).
 * [SOCK-11] `terminate` cuts without a close frame.
 * [SOCK-12] `onClose` is called exactly once, within `end` and `terminate` with their code (1006), else with
 *   what the client sent (1005: none, 1006: it vanished). Afterwards every call does nothing, and `send`
 *   answers `dropped`.
 * [SOCK-13] A socket that neither sends anything (pongs count; the adapter pings) nor takes buffered bytes
 *   for `idleMs` is cut; `onClose` is told 4003.
 * [SOCK-14] An upgrade is refused with the status, headers and body given; the connection closes.
 * [SOCK-15] An upgrade on another path, and a plain GET on the socket path, go to `onRequest`.
 *
 * HTTP
 * [SOCK-16] Header names come lower-case, repeated headers joined by `, `; query and path are apart.
 * [SOCK-25] A request's line and headers may have `headerBytesMax` bytes, in however many pieces the headers
 *   come; the connection of a longer one is closed. (The line must come in one packet or TLS record: the
 *   binary of uWebSockets.js for Node 20 answers 505 to one split anywhere, its issue 1776, and nothing of
 *   ours sees the bytes before. So lines of more than a packet are not for the open internet.)
 * [SOCK-17] `body` resolves to the whole body, or rejects `body_too_large` beyond its bound; the answer still
 *   arrives.
 * [SOCK-18] A request cut off by the client rejects `body` with a ClientError; the answer goes nowhere,
 *   nothing throws.
 * [SOCK-19] A HEAD answer has the headers and content-length of the body, and no body.
 * [SOCK-20] Methods are handed on as sent, upper-case; one that nobody knows is answered 4xx.
 * [SOCK-21] Connections are kept alive, also after a body that nobody read. One that asks nothing for 10 s,
 *   or not to the end of its headers, is closed (within 15 s).
 * [SOCK-31] A connection that is ended (nothing asked, no HTTP, a refused upgrade) is closed on this side,
 *   whether or not the client ever closes its own; the answer arrives.
 * [SOCK-22] A rejected `onRequest` is answered 500 without details, and reported to `onFault`.
 *
 * Process
 * [SOCK-23] Listening is exclusive: a start on a taken port rejects with a sentence naming host and port.
 *   Servers that are all `shared` listen on one port beside each other.
 * [SOCK-24] `stopListening` refuses new connections; open sockets stay. `close` ends every socket with 4000.
 *
 * Behind a load balancer
 * [SOCK-26] A connection from a network of `proxyProtocolFrom` begins with a header of the PROXY protocol,
 *   version 2, in however many pieces. The client that it names is the `address` of all that comes over the
 *   connection; where it names none (health checks: LOCAL, UNSPEC), the peer is. TLVs are skipped.
 * [SOCK-27] One from there without such a header is closed, and `onRefused` hears why: other bytes, version
 *   1, another family, too long a header, or one that is not whole within `frontMs` (see front.ts). One that
 *   closes or has said nothing until then is closed without a word.
 * [SOCK-28] A header from anywhere else, or a second one, is never believed: the connection is closed, its
 *   requests are not handed over.
 *
 * TLS
 * [SOCK-29] With a `certificate` everything goes over TLS 1.2 or 1.3 (behind the PROXY protocol's header,
 *   where there is one); other connections are closed.
 * [SOCK-30] `useCertificate` changes the certificate for handshakes from then on, whether or not the client
 *   names a server. Open sockets and kept-alive connections live on, and are published to as before. It
 *   rejects where the certificate cannot be used, and the one before stays.
 */
import type { Certificate } from './certificate.ts';

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
  /** `bytes` are valid until the call returns. */
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /** The send buffer is empty again. */
  onDrain(): void;
  /** A message published or sent to this socket did not fit its buffer and is lost. */
  onDropped(): void;
  onClose(code: number): void;
}

export type Subprotocol = 'rankcast.msgpack' | 'rankcast.json';

export interface UpgradeRequest {
  address: string;
  origin: string | null;
  /** As offered by the client, in order. */
  subprotocols: string[];
  userAgent: string;
}
export type UpgradeAnswer =
  | { accept: true; subprotocol: Subprotocol }
  | { accept: false; status: number; headers: Record<string, string>; body: string };

export interface HttpRequest {
  method: string;
  /** Without the query; still percent-encoded. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string>;
  address: string;
  /**
   * Reads the body; rejects with ClientError body_too_large beyond `maxBytes`. Resolves empty without a body.
   */
  body(maxBytes: number): Promise<Uint8Array>;
}
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
}

export interface SocketsOptions {
  host: string;
  /** One of several processes on the port, all started by one supervisor. */
  shared: boolean;
  /** Networks (CIDR) of load balancers that speak the PROXY protocol; none: it is not spoken. */
  proxyProtocolFrom: readonly string[];
  /** null: no TLS here. */
  certificate: Certificate | null;
  /** 0: any free port. */
  port: number;
  /** Path that takes WebSocket upgrades. */
  socketPath: string;
  frameBytesMax: number;
  /** Bytes buffered for one socket before messages to it are dropped (and `onDropped` called). */
  bufferBytesMax: number;
  /** See SOCK-13. uWebSockets.js takes steps of 4 s, from 8 s to 960 s. */
  idleMs: number;
  /** A promise holds the upgrade back (pacing); keep it within a few seconds. */
  onUpgrade(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer>;
  onOpen(socket: Socket, subprotocol: Subprotocol): SocketHandler;
  onRequest(request: HttpRequest): Promise<HttpResponse>;
  /** A connection of `peer` was closed before its first request, for a reason in a sentence. */
  onRefused(peer: string, why: string): void;
  /** A callback above threw or rejected: a bug. The process and the other sockets live on. */
  onFault(error: unknown): void;
}
export interface SocketServer {
  /** Name of the adapter, for logs and metrics. */
  readonly adapter: 'uws' | 'ws';
  readonly port: number;
  /** Open now. */
  readonly sockets: number;
  /** To every socket that joined `topic`; binary or text. */
  publish(topic: string, bytes: Uint8Array, binary: boolean): void;
  useCertificate(certificate: Certificate): Promise<void>;
  /** Stops accepting; open sockets stay. */
  stopListening(): void;
  close(): Promise<void>;
}
/** Rejects with a sentence when the port is taken or forbidden. */
export type SocketsFactory = (options: SocketsOptions) => Promise<SocketServer>;

/** A frame up to so many times `frameBytesMax` is still read, so that it can be answered with a code. */
export const frameHardFactor = 4;

/** Line and headers of a request. A token of 8 KiB fits, and a query of 500 ids of the longest. */
export const headerBytesMax = 32_768;
