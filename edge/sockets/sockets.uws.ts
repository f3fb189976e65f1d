/**
 * The socket port on uWebSockets.js: native topics, native buffers, native idle timeouts.
 *
 * The library forbids to leave, subscribe or close inside its `dropped` callback (it iterates over its
 * subscribers then). So the callback only notes the socket, and `Holes` tells the handler
 * before anything else can reach it.
 */
import type * as Uws from 'uWebSockets.js';
import { type Certificate, isCurrent } from './certificate.ts';
import { Front } from './front.ts';
import { Holes } from './holes.ts';
import { faultAnswer, listOf } from './http-status.ts';
import { freePort, whyNotListening } from './listening.ts';
import { parseNetworks } from './networks.ts';
import { plainAddress } from './plain-address.ts';
import type { SocketServer, SocketsOptions, UpgradeAnswer } from './sockets.ts';
import { frameHardFactor } from './sockets.ts';
import { answerUwsRequest, writeUwsResponse } from './uws-http.ts';
import { listenAt, listenOn, loadUws, type UwsLibrary } from './uws-library.ts';
import { Relay } from './uws-relay.ts';
import { type Application, type NativeSocket, type SocketData, UwsSocket } from './uws-socket.ts';

/**
 * One that no longer listens and has no sockets is closed after this, when its last requests are answered.
 */
const retiredMs = 60_000;
/** Sockets from so many certificates ago are ended with 4000: each application costs every publication. */
const applicationsMax = 8;
/** What the library says when it cut an idle socket. */
const idleReason = 'WebSocket timed out from inactivity';

/** As `loadUws`; and rejects with a sentence when the port is taken, or the certificate cannot be used. */
export async function createUwsSockets(options: SocketsOptions): Promise<SocketServer> {
  const uws = await loadUws();
  const adapter = new UwsAdapter(uws, options);
  try {
    await adapter.listen();
  } catch (error) {
    await adapter.close();
    throw error;
  }
  return adapter;
}

class UwsAdapter implements SocketServer {
  readonly adapter = 'uws';
  port = 0;
  readonly open = new Set<UwsSocket>();
  readonly holes = new Holes<UwsSocket>((callback) => this.guard(callback));
  private readonly uws: UwsLibrary;
  private readonly options: SocketsOptions;
  private readonly relay: Relay | null;
  private readonly front: Front | null;
  private certificate: Certificate | null;
  private current: Application;
  /** Former ones, oldest first, whose sockets live on. */
  private retired: Application[] = [];
  private serial = 0;
  private publishing = false;
  private shut = false;

  constructor(uws: UwsLibrary, options: SocketsOptions) {
    this.uws = uws;
    this.options = options;
    const { proxyProtocolFrom, certificate: tls, onRefused } = options;
    const proxied = proxyProtocolFrom.length > 0;
    this.front = proxied ? new Front({ networks: parseNetworks(proxyProtocolFrom), tls, onRefused }) : null;
    this.relay = this.front === null ? null : new Relay(this.front, options.onFault);
    this.certificate = proxied ? null : tls;
    this.current = this.createApplication();
  }

  private createApplication(): Application {
    const { options, uws, certificate } = this;
    const app = certificate === null ? uws.App() : secureApp(uws, certificate);
    const application: Application = { app, listening: null, sockets: 0 };
    app.ws<SocketData>(options.socketPath, {
      maxPayloadLength: options.frameBytesMax * frameHardFactor,
      maxBackpressure: options.bufferBytesMax,
      idleTimeout: idleSeconds(options.idleMs),
      sendPingsAutomatically: true,
      compression: uws.DISABLED,
      upgrade: (res, req, context) => this.onUpgrade(res, req, context),
      open: (native) => this.onOpen(native, application),
      message: (native, message, binary) => this.onMessage(native, message, binary),
      drain: (native) => this.onDrain(native),
      dropped: (native) => this.onDropped(native),
      close: (native, code, reason) => this.onClose(native, code, reason),
    });
    app.any('/*', (res, req) => {
      const address = this.addressOf(res);
      if (address === null) res.close();
      else answerUwsRequest(res, req, address, options, () => this.shut);
    });
    return application;
  }

  async listen(): Promise<void> {
    const { host, port, shared } = this.options;
    if (this.relay !== null) {
      this.current.listening = listenAt(this.current.app, this.relay.path);
      this.port = await this.relay.listen(host, port, shared);
      return;
    }
    // For another certificate a second application will listen beside the first, so that port is shared from
    // the beginning; whether it is free is asked before.
    const sharing = shared || this.certificate !== null;
    if (sharing && !shared) await this.assertFree();
    // Given port 0 the library leaves out SO_REUSEADDR, and the port chosen could not be listened on again
    // while connections of a former process linger. So it is chosen here; someone else may take it in
    // between.
    for (let tries = 5; tries > 0 && this.current.listening === null; tries--) {
      const chosen = port === 0 ? await freePort(host) : port;
      this.current.listening = listenOn(this.current.app, host, chosen, sharing);
      if (port !== 0) break;
    }
    if (this.current.listening === null) throw await whyNotListening(host, port);
    this.port = this.uws.us_socket_local_port(this.current.listening);
  }

  private async assertFree(): Promise<void> {
    const { host, port } = this.options;
    if (port === 0) return;
    const why = await whyNotListening(host, port);
    if (why.cause !== undefined) throw why;
  }

  /** The former application's sockets stay with it; it only stops listening. */
  async useCertificate(certificate: Certificate): Promise<void> {
    if (this.front !== null) {
      this.front.use(certificate);
      return;
    }
    if (this.certificate === null || this.shut) return;
    const former = { application: this.current, certificate: this.certificate };
    this.certificate = certificate;
    try {
      this.current = this.createApplication();
      this.current.listening = listenOn(this.current.app, this.options.host, this.port, true);
      if (this.current.listening === null) throw await whyNotListening(this.options.host, this.port);
    } catch (error) {
      this.current = former.application;
      this.certificate = former.certificate;
      throw error;
    }
    this.retired.push(former.application);
    // When what the system has taken for it has been accepted.
    setImmediate(() => this.retire(former.application));
  }

  private retire(application: Application): void {
    this.stopApplication(application);
    if (this.retired.length >= applicationsMax) {
      const oldest = this.retired[0]!;
      for (const socket of [...this.open]) {
        if (socket.home === oldest) socket.end(4000, 'The certificate of this connection is long replaced.');
      }
    }
    const sweep = setInterval(() => {
      if (application.sockets > 0 && !this.shut) return;
      clearInterval(sweep);
      this.retired = this.retired.filter((other) => other !== application);
      application.app.close();
    }, retiredMs);
    sweep.unref();
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
    this.current.app.publish(topic, bytes, binary);
    for (const { app } of this.retired) app.publish(topic, bytes, binary);
    this.publishing = false;
    if (this.holes.some) this.holes.flush();
  }

  stopListening(): void {
    this.relay?.stopListening();
    // Behind the relay this one must go on: connections it has taken are still on their way.
    if (this.relay === null) this.stopApplication(this.current);
  }

  private stopApplication(application: Application): void {
    if (application.listening !== null) this.uws.us_listen_socket_close(application.listening);
    application.listening = null;
  }

  async close(): Promise<void> {
    if (this.shut) return;
    this.shut = true;
    this.stopListening();
    for (const socket of [...this.open]) socket.end(4000, 'The edge is closing.');
    // One turn of the loop, so that the close frames leave before the library cuts what remains.
    await new Promise((resolve) => setImmediate(resolve));
    for (const { app } of [this.current, ...this.retired]) app.close();
    this.front?.close();
    this.relay?.close();
  }

  /**
   * The client's; null where a header of the PROXY protocol came that nobody was to send: the library reads
   * one on every connection, before every request.
   */
  private addressOf(res: Uws.HttpResponse): string | null {
    const proxied = res.getProxiedRemoteAddress();
    if (this.relay !== null) return this.relay.addressOf(proxied);
    if (proxied.byteLength > 0) return null;
    return plainAddress(Buffer.from(res.getRemoteAddressAsText()).toString());
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
    const address = this.addressOf(res);
    if (address === null) {
      res.close();
      return;
    }
    const request = {
      address,
      origin: req.getHeader('origin') || null,
      subprotocols: listOf(offered),
      userAgent: req.getHeader('user-agent'),
    };
    const settle = (answer: UpgradeAnswer): void => {
      if (!answer.accept) {
        writeUwsResponse(res, 'GET', answer, true);
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

  private onOpen(native: NativeSocket, application: Application): void {
    const data = native.getUserData();
    this.serial += 1;
    const socket = new UwsSocket(this.serial, data, native, this, application);
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
}

/** The library reads the files by itself, so they must still hold what was checked. */
function secureApp(uws: UwsLibrary, certificate: Certificate): Uws.TemplatedApp {
  const { certFile, keyFile } = certificate;
  let app: Uws.TemplatedApp;
  try {
    app = uws.SSLApp({ cert_file_name: certFile, key_file_name: keyFile });
  } catch (error) {
    const message = `uWebSockets.js cannot use the certificate in ${certFile} with the key in ${keyFile}.`;
    throw new Error(message, { cause: error });
  }
  if (isCurrent(certificate)) return app;
  app.close();
  throw new Error(`${certFile} or ${keyFile} changed while it was being read.`);
}

/** The library takes 8 s to 960 s and counts in steps of 4 s. */
function idleSeconds(idleMs: number): number {
  return Math.min(960, Math.max(8, Math.ceil(idleMs / 4_000) * 4));
}
