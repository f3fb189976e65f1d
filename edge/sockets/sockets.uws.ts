/**
 * The socket port on uWebSockets.js: native topics, native buffers, native idle timeouts.
 *
 * The library forbids to leave, subscribe or close inside its `dropped` callback (it iterates over its
 * subscribers then). So the callback only notes the socket, and `Holes` tells the handler
 * before anything else can reach it.
 */
import type * as Uws from 'uWebSockets.js';
import { Holes } from './holes.ts';
import { answerWithBody, declaredLength, RequestBody } from './http-body.ts';
import { faultAnswer, listOf, statusLine } from './http-status.ts';
import { freePort, whyNotListening } from './listening.ts';
import { plainAddress } from './plain-address.ts';
import type {
  HttpRequest,
  Socket,
  SocketHandler,
  SocketServer,
  SocketsOptions,
  Subprotocol,
  UpgradeAnswer,
} from './sockets.ts';
import { frameHardFactor, headerBytesMax } from './sockets.ts';

interface SocketData {
  address: string;
  subprotocol: Subprotocol;
  /** Set by `open`; the library hands this object around as the socket itself. */
  socket: UwsSocket | null;
}
type NativeSocket = Uws.WebSocket<SocketData>;
type Library = Pick<typeof Uws, 'App' | 'DISABLED' | 'us_listen_socket_close' | 'us_socket_local_port'>;

/** The library's flag: fail if anything else listens on the port (its default shares it). */
const exclusivePort = 1;
/** What the library says when it cut an idle socket. */
const idleReason = 'WebSocket timed out from inactivity';
const sendResults = ['buffered', 'sent', 'dropped'] as const;

/** Rejects when the library's binary does not load here. */
export async function loadUws(): Promise<Library> {
  // The library reads this once, as it loads, and has no other way to be told (4 KiB by default: a token may
  // have more).
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(headerBytesMax);
  return (await import('uWebSockets.js')).default;
}

/** As `loadUws`; and rejects with a sentence when the port is taken. */
export async function createUwsSockets(options: SocketsOptions): Promise<SocketServer> {
  const uws = await loadUws();
  const adapter = new UwsAdapter(uws, options);
  await adapter.listen();
  return adapter;
}

class UwsSocket implements Socket {
  readonly serial: number;
  readonly address: string;
  readonly adapter: UwsAdapter;
  readonly binary: boolean;
  native: NativeSocket | null;
  handler: SocketHandler | null = null;
  holed = false;
  stray = false;
  telling = false;

  constructor(serial: number, data: SocketData, native: NativeSocket, adapter: UwsAdapter) {
    this.serial = serial;
    this.address = data.address;
    this.binary = data.subprotocol === 'rankcast.msgpack';
    this.native = native;
    this.adapter = adapter;
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
    if (handler !== null) this.adapter.guard(() => handler.onClose(code));
  }
}

class UwsAdapter implements SocketServer {
  readonly adapter = 'uws';
  port = 0;
  readonly open = new Set<UwsSocket>();
  readonly holes = new Holes<UwsSocket>((callback) => this.guard(callback));
  private readonly uws: Library;
  private readonly options: SocketsOptions;
  private readonly app: Uws.TemplatedApp;
  private listenSocket: Uws.us_listen_socket | null = null;
  private serial = 0;
  private publishing = false;
  private shut = false;

  constructor(uws: Library, options: SocketsOptions) {
    this.uws = uws;
    this.options = options;
    this.app = uws.App();
    this.app.ws<SocketData>(options.socketPath, {
      maxPayloadLength: options.frameBytesMax * frameHardFactor,
      maxBackpressure: options.bufferBytesMax,
      idleTimeout: idleSeconds(options.idleMs),
      sendPingsAutomatically: true,
      compression: uws.DISABLED,
      upgrade: (res, req, context) => this.onUpgrade(res, req, context),
      open: (native) => this.onOpen(native),
      message: (native, message, binary) => this.onMessage(native, message, binary),
      drain: (native) => this.onDrain(native),
      dropped: (native) => this.onDropped(native),
      close: (native, code, reason) => this.onClose(native, code, reason),
    });
    this.app.any('/*', (res, req) => this.onRequest(res, req));
  }

  async listen(): Promise<void> {
    const { host, port } = this.options;
    // Given port 0 the library leaves out SO_REUSEADDR, and the port chosen could not be listened on again
    // while connections of a former process linger. So it is chosen here; someone else may take it in
    // between.
    for (let tries = 5; tries > 0 && this.listenSocket === null; tries--) {
      this.listenOn(port === 0 ? await freePort(host) : port);
      if (port !== 0) break;
    }
    if (this.listenSocket === null) throw await whyNotListening(host, port);
    this.port = this.uws.us_socket_local_port(this.listenSocket);
  }

  private listenOn(port: number): void {
    const listen = this.app.listen as unknown as (
      host: string,
      port: number,
      flags: number,
      done: (token: Uws.us_listen_socket | false) => void,
    ) => void;
    listen.call(this.app, this.options.host, port, exclusivePort, (token) => {
      this.listenSocket = token === false ? null : token;
    });
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
    this.publishing = true;
    this.app.publish(topic, bytes, binary);
    this.publishing = false;
    if (this.holes.some) this.holes.flush();
  }

  stopListening(): void {
    if (this.listenSocket === null) return;
    this.uws.us_listen_socket_close(this.listenSocket);
    this.listenSocket = null;
  }

  async close(): Promise<void> {
    if (this.shut) return;
    this.shut = true;
    this.stopListening();
    for (const socket of [...this.open]) socket.end(4000, 'The edge is closing.');
    // One turn of the loop, so that the close frames leave before the library cuts what remains.
    await new Promise((resolve) => setImmediate(resolve));
    this.app.close();
  }

  guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.onFault(error);
    }
  }

  private onUpgrade(res: Uws.HttpResponse, req: Uws.HttpRequest, context: Uws.us_socket_context_t): void {
    const key = req.getHeader('sec-websocket-key');
    const offered = req.getHeader('sec-websocket-protocol');
    const extensions = req.getHeader('sec-websocket-extensions');
    const address = addressOf(res);
    const request = {
      address,
      origin: req.getHeader('origin') || null,
      subprotocols: listOf(offered),
      userAgent: req.getHeader('user-agent'),
    };
    const settle = (answer: UpgradeAnswer): void => {
      if (!answer.accept) {
        writeResponse(res, 'GET', answer, true);
        return;
      }
      const data: SocketData = { address, subprotocol: answer.subprotocol, socket: null };
      const chosen = offered === '' ? '' : answer.subprotocol;
      res.upgrade(data, key, chosen, extensions, context);
    };
    let answer: UpgradeAnswer | Promise<UpgradeAnswer>;
    try {
      answer = this.options.onUpgrade(request);
    } catch (error) {
      this.options.onFault(error);
      answer = faultAnswer();
    }
    if (!(answer instanceof Promise)) {
      settle(answer);
      return;
    }
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
    });
    void answer
      .catch((error: unknown) => {
        this.options.onFault(error);
        return faultAnswer();
      })
      .then((settled) => {
        if (!aborted && !this.shut) res.cork(() => settle(settled));
      });
  }

  private onOpen(native: NativeSocket): void {
    const data = native.getUserData();
    this.serial += 1;
    const socket = new UwsSocket(this.serial, data, native, this);
    data.socket = socket;
    this.open.add(socket);
    this.guard(() => {
      socket.handler = this.options.onOpen(socket, data.subprotocol);
    });
    if (socket.handler === null) socket.end(4005, 'A fault of the server.');
  }

  private onMessage(native: NativeSocket, message: ArrayBuffer, binary: boolean): void {
    const socket = native.getUserData().socket;
    const handler = socket?.handler;
    if (!socket || !handler) return;
    if (this.holes.some) this.holes.flush();
    const { frameBytesMax } = this.options;
    if (message.byteLength > frameBytesMax) {
      socket.end(4502, `A frame of ${message.byteLength} bytes; ${frameBytesMax} are allowed.`);
      return;
    }
    try {
      handler.onMessage(new Uint8Array(message), binary);
    } catch (error) {
      this.options.onFault(error);
      socket.end(4005, 'A fault of the server.');
    }
  }

  private onDrain(native: NativeSocket): void {
    if (this.holes.some) this.holes.flush();
    const socket = native.getUserData().socket;
    const handler = socket?.handler;
    if (!handler || native.getBufferedAmount() > 0) return;
    this.guard(() => handler.onDrain());
  }

  private onDropped(native: NativeSocket): void {
    const socket = native.getUserData().socket;
    if (socket) this.holes.note(socket, this.publishing);
  }

  private onClose(native: NativeSocket, code: number, reason: ArrayBuffer): void {
    const socket = native.getUserData().socket;
    if (!socket || socket.handler === null) return;
    const idle = code === 1006 && Buffer.from(reason).toString() === idleReason;
    socket.closed(idle ? 4003 : code);
  }

  private onRequest(res: Uws.HttpResponse, req: Uws.HttpRequest): void {
    const headers: Record<string, string> = {};
    req.forEach((name, value) => {
      const before = headers[name];
      headers[name] = before === undefined ? value : `${before}, ${value}`;
    });
    const method = req.getCaseSensitiveMethod().toUpperCase();
    const body = new RequestBody(declaredLength(headers), res);
    const request: HttpRequest = {
      method,
      path: req.getUrl(),
      query: new URLSearchParams(req.getQuery()),
      headers,
      address: addressOf(res),
      body: (maxBytes) => body.read(maxBytes),
    };
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
      body.abort();
    });
    // A chunk's memory is the library's: copied.
    res.onData((chunk, last) => body.take(new Uint8Array(chunk.slice(0)), last));
    void answerWithBody(request, body, this.options).then(({ response, close }) => {
      if (!aborted && !this.shut) res.cork(() => writeResponse(res, method, response, close));
    });
  }
}

function writeResponse(
  res: Uws.HttpResponse,
  method: string,
  answer: { status: number; headers: Record<string, string>; body: Uint8Array | string },
  close: boolean,
): void {
  res.writeStatus(statusLine(answer.status));
  for (const name in answer.headers) res.writeHeader(name, answer.headers[name] ?? '');
  if (close) res.writeHeader('connection', 'close');
  // Without arguments: told a length, the library would wait for that many bytes.
  if (method === 'HEAD') {
    res.writeHeader('content-length', String(Buffer.byteLength(answer.body)));
    res.endWithoutBody();
  } else if (answer.status === 204 || answer.status === 304) res.endWithoutBody();
  else res.end(answer.body, close);
}

function addressOf(res: Uws.HttpResponse): string {
  return plainAddress(Buffer.from(res.getRemoteAddressAsText()).toString());
}

/** The library takes 8 s to 960 s and counts in steps of 4 s. */
function idleSeconds(idleMs: number): number {
  return Math.min(960, Math.max(8, Math.ceil(idleMs / 4_000) * 4));
}
