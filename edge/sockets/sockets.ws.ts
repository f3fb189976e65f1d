/**
 * The socket port on ws and node:http, for where the binary of uWebSockets.js does not load. ws reads frames
 * and answers pings; frames out are made here (a published message once for all) and written to the TCP
 * socket as they are.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Certificate } from './certificate.ts';
import { Front } from './front.ts';
import { Holes } from './holes.ts';
import { faultAnswer, listOf } from './http-status.ts';
import { listenNode } from './listening.ts';
import { parseNetworks } from './networks.ts';
import { answerNodeRequest, detachedResponse, endConnection, writeNodeResponse } from './node-http.ts';
import { plainAddress } from './plain-address.ts';
import type {
  Socket,
  SocketHandler,
  SocketServer,
  SocketsOptions,
  Subprotocol,
  UpgradeAnswer,
} from './sockets.ts';
import { frameHardFactor, headerBytesMax } from './sockets.ts';

/** As uWebSockets.js: an HTTP connection without a request is closed after so long. */
const keepAliveMs = 10_000;
/** A request's headers and body must arrive within this; its headers, or any at all, within `keepAliveMs`. */
const requestMs = 30_000;
/** Both are looked at so often. */
const requestCheckMs = 2_500;
/** Clients get so long to answer the close frame when the server closes. */
const closeGraceMs = 1_000;
/** The sweep for idle sockets runs so many times per `idleMs`; a ping goes out half way. */
const sweepsPerIdle = 4;

const nothing = Buffer.alloc(0);
const badRequest = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export async function createWsSockets(options: SocketsOptions): Promise<SocketServer> {
  const adapter = new WsAdapter(options);
  await adapter.listen();
  return adapter;
}

class WsSocket implements Socket {
  readonly serial: number;
  readonly address: string;
  readonly binary: boolean;
  readonly adapter: WsAdapter;
  readonly ws: WebSocket;
  readonly tcp: TcpSocket;
  readonly topics = new Set<string>();
  handler: SocketHandler | null = null;
  gone = false;
  holed = false;
  stray = false;
  telling = false;
  /** Bytes wait in the buffer, and a marker behind them will say when they are gone. */
  blocked = false;
  /** For the sweep: what had come in and gone out, and for how many sweeps nothing more did. */
  bytesIn = 0;
  bytesOut = 0;
  quietSweeps = 0;
  private readonly onWritten: () => void;

  constructor(serial: number, subprotocol: Subprotocol, ws: WebSocket, tcp: TcpSocket, adapter: WsAdapter) {
    this.serial = serial;
    this.address = adapter.addressOf(tcp);
    this.binary = subprotocol === 'rankcast.msgpack';
    this.ws = ws;
    this.tcp = tcp;
    this.adapter = adapter;
    this.onWritten = () => this.written();
  }

  send(bytes: Uint8Array): 'sent' | 'buffered' | 'dropped' {
    return this.gone ? 'dropped' : this.write(encodeFrame(bytes, this.binary));
  }

  /** Writes a frame unless the buffer is over its bound. */
  write(frame: Buffer): 'sent' | 'buffered' | 'dropped' {
    if (this.holed) return 'dropped';
    if (this.tcp.writableLength > this.adapter.bufferBytesMax) {
      this.adapter.holes.note(this, false);
      return 'dropped';
    }
    this.tcp.write(frame);
    if (this.tcp.writableLength === 0) return 'sent';
    if (!this.blocked) {
      this.blocked = true;
      this.tcp.write(nothing, this.onWritten);
    }
    return 'buffered';
  }

  join(topic: string): void {
    if (this.gone || this.topics.has(topic)) return;
    this.topics.add(topic);
    this.adapter.joined(topic, this);
  }

  leave(topic: string): void {
    if (this.topics.delete(topic)) this.adapter.left(topic, this);
  }

  bufferedBytes(): number {
    return this.gone ? 0 : this.tcp.writableLength;
  }

  end(code: number, reason: string): void {
    if (this.gone) return;
    this.closed(code);
    this.ws.close(code, reason);
  }

  terminate(): void {
    if (this.gone) return;
    this.closed(1006);
    this.ws.terminate();
  }

  closed(code: number): void {
    if (this.gone) return;
    this.gone = true;
    const handler = this.handler;
    this.handler = null;
    for (const topic of this.topics) this.adapter.left(topic, this);
    this.topics.clear();
    this.adapter.open.delete(this);
    if (handler !== null) this.adapter.guard(() => handler.onClose(code));
  }

  private written(): void {
    if (this.gone) return;
    if (this.tcp.writableLength > 0) {
      this.tcp.write(nothing, this.onWritten);
      return;
    }
    this.blocked = false;
    if (this.adapter.holes.some) this.adapter.holes.flush();
    this.adapter.guard(() => this.handler?.onDrain());
  }
}

class WsAdapter implements SocketServer {
  readonly adapter = 'ws';
  readonly bufferBytesMax: number;
  readonly open = new Set<WsSocket>();
  readonly holes = new Holes<WsSocket>((callback) => this.guard(callback));
  private readonly options: SocketsOptions;
  private readonly server: Server;
  private readonly upgrades: WebSocketServer;
  private readonly topics = new Map<string, Set<WsSocket>>();
  private readonly sweep: NodeJS.Timeout;
  private readonly front: Front | null;
  /** Of connections that came through the front. */
  private readonly addresses = new WeakMap<TcpSocket, string>();
  private serial = 0;
  private shut = false;

  constructor(options: SocketsOptions) {
    this.options = options;
    this.bufferBytesMax = options.bufferBytesMax;
    this.upgrades = new WebSocketServer({
      noServer: true,
      maxPayload: options.frameBytesMax * frameHardFactor,
      perMessageDeflate: false,
    });
    this.server = createServer({
      keepAliveTimeout: keepAliveMs,
      headersTimeout: keepAliveMs,
      connectionsCheckingInterval: requestCheckMs,
      requestTimeout: requestMs,
      maxHeaderSize: headerBytesMax,
    });
    this.server.on('request', (req: IncomingMessage, res: ServerResponse) =>
      answerNodeRequest(req, res, this.addressOf(req.socket), this.options),
    );
    this.server.on('upgrade', (req: IncomingMessage, tcp: TcpSocket, head: Buffer) => {
      this.onUpgrade(req, tcp, head).catch((error: unknown) => {
        this.options.onFault(error);
        tcp.destroy();
      });
    });
    this.server.on('clientError', (_error, tcp) => {
      if (tcp.writable) endConnection(tcp, badRequest);
    });
    this.front = this.createFront();
    this.sweep = setInterval(() => this.sweepIdle(), options.idleMs / sweepsPerIdle);
    this.sweep.unref();
  }

  /** Stands between the server and its own handling of connections, where there is something to do. */
  private createFront(): Front | null {
    const { proxyProtocolFrom, certificate: tls, onRefused } = this.options;
    if (proxyProtocolFrom.length === 0 && tls === null) return null;
    const front = new Front({ networks: parseNetworks(proxyProtocolFrom), tls, onRefused });
    const serve = this.server.listeners('connection') as ((stream: TcpSocket) => void)[];
    this.server.removeAllListeners('connection');
    this.server.on('connection', (tcp: TcpSocket) =>
      front.accept(tcp, (stream, address) => {
        this.addresses.set(stream, address);
        for (const listener of serve) listener.call(this.server, stream);
      }),
    );
    return front;
  }

  addressOf(tcp: TcpSocket): string {
    return this.addresses.get(tcp) ?? plainAddress(tcp.remoteAddress ?? '');
  }

  async useCertificate(certificate: Certificate): Promise<void> {
    this.front?.use(certificate);
  }

  get port(): number {
    return (this.server.address() as AddressInfo | null)?.port ?? this.listenedOn;
  }
  private listenedOn = 0;

  async listen(): Promise<void> {
    try {
      await listenNode(this.server, this.options, this.options.onFault);
    } catch (error) {
      clearInterval(this.sweep);
      throw error;
    }
    this.listenedOn = this.port;
  }

  get sockets(): number {
    return this.open.size;
  }

  publish(topic: string, bytes: Uint8Array, binary: boolean): void {
    if (this.holes.some) {
      // Handlers that are told may use the caller's buffer.
      bytes = bytes.slice();
      this.holes.flush();
    }
    const members = this.topics.get(topic);
    if (members === undefined) return;
    const frame = encodeFrame(bytes, binary);
    for (const socket of members) socket.write(frame);
    if (this.holes.some) this.holes.flush();
  }

  stopListening(): void {
    this.server.close();
  }

  async close(): Promise<void> {
    if (this.shut) return;
    this.shut = true;
    clearInterval(this.sweep);
    this.stopListening();
    for (const socket of [...this.open]) socket.end(4000, 'The edge is closing.');
    const clients = [...this.upgrades.clients];
    const answered = Promise.all(
      clients.map((ws) => new Promise<void>((resolve) => ws.once('close', () => resolve()))),
    );
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeGraceMs);
    });
    await Promise.race([answered, grace]);
    clearTimeout(timer);
    for (const ws of clients) ws.terminate();
    this.front?.close();
    this.server.closeAllConnections();
  }

  joined(topic: string, socket: WsSocket): void {
    const members = this.topics.get(topic);
    if (members === undefined) this.topics.set(topic, new Set([socket]));
    else members.add(socket);
  }

  left(topic: string, socket: WsSocket): void {
    const members = this.topics.get(topic);
    if (members?.delete(socket) === true && members.size === 0) this.topics.delete(topic);
  }

  guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.onFault(error);
    }
  }

  private sweepIdle(): void {
    for (const socket of this.open) {
      const bytesIn = socket.tcp.bytesRead;
      const bytesOut = socket.tcp.bytesWritten - socket.tcp.writableLength;
      const alive = bytesIn > socket.bytesIn || (socket.blocked && bytesOut > socket.bytesOut);
      socket.bytesIn = bytesIn;
      socket.bytesOut = bytesOut;
      socket.quietSweeps = alive ? 0 : socket.quietSweeps + 1;
      if (socket.quietSweeps === sweepsPerIdle / 2) socket.ws.ping();
      else if (socket.quietSweeps > sweepsPerIdle) {
        socket.closed(4003);
        socket.ws.terminate();
      }
    }
  }

  private async onUpgrade(req: IncomingMessage, tcp: TcpSocket, head: Buffer): Promise<void> {
    tcp.on('error', () => tcp.destroy());
    const path = (req.url ?? '').split('?', 1)[0];
    const wantsSocket = req.headers.upgrade?.toLowerCase() === 'websocket' && req.method === 'GET';
    if (path !== this.options.socketPath || !wantsSocket) {
      answerNodeRequest(req, detachedResponse(req, tcp), this.addressOf(tcp), this.options, true);
      return;
    }
    const offered = listOf(req.headers['sec-websocket-protocol'] ?? '');
    const answer = await this.askUpgrade({
      address: this.addressOf(tcp),
      origin: req.headers.origin ?? null,
      subprotocols: offered,
      userAgent: req.headers['user-agent'] ?? '',
    });
    if (tcp.destroyed || this.shut) return;
    if (!answer.accept) {
      writeNodeResponse(detachedResponse(req, tcp), answer, true);
      return;
    }
    const { subprotocol } = answer;
    this.upgrades.options.handleProtocols = () => (offered.length === 0 ? false : subprotocol);
    this.upgrades.handleUpgrade(req, tcp, head, (ws) => this.onOpen(ws, tcp, subprotocol));
  }

  private async askUpgrade(request: Parameters<SocketsOptions['onUpgrade']>[0]): Promise<UpgradeAnswer> {
    try {
      return await this.options.onUpgrade(request);
    } catch (error) {
      this.options.onFault(error);
      return faultAnswer();
    }
  }

  private onOpen(ws: WebSocket, tcp: TcpSocket, subprotocol: Subprotocol): void {
    this.serial += 1;
    const socket = new WsSocket(this.serial, subprotocol, ws, tcp, this);
    this.open.add(socket);
    // ws cuts the socket itself after an error; 'close' follows.
    ws.on('error', () => {});
    ws.on('close', (code) => socket.closed(code));
    ws.on('message', (data, binary) => this.onMessage(socket, data as Buffer, binary));
    this.guard(() => {
      socket.handler = this.options.onOpen(socket, subprotocol);
    });
    if (socket.handler === null) socket.end(4005, 'A fault of the server.');
  }

  private onMessage(socket: WsSocket, data: Buffer, binary: boolean): void {
    const handler = socket.handler;
    if (handler === null) return;
    if (this.holes.some) this.holes.flush();
    const { frameBytesMax } = this.options;
    if (data.length > frameBytesMax) {
      socket.end(4502, `A frame of ${data.length} bytes; ${frameBytesMax} are allowed.`);
      return;
    }
    try {
      handler.onMessage(data, binary);
    } catch (error) {
      this.options.onFault(error);
      socket.end(4005, 'A fault of the server.');
    }
  }
}

/** A frame of a server: whole, not masked. Always a copy. */
function encodeFrame(bytes: Uint8Array, binary: boolean): Buffer {
  const { length } = bytes;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = binary ? 0x82 : 0x81;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(bytes, head);
  return frame;
}
