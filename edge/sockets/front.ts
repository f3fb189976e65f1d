/**
 * What a connection goes through before HTTP: where it comes from a load balancer, the PROXY protocol's
 * header, which says whose connection it is; where TLS ends here, the handshake.
 */
import type { Socket as TcpSocket } from 'node:net';
import { createServer, type Server as TlsServer } from 'node:tls';
import type { Certificate } from './certificate.ts';
import type { Networks } from './networks.ts';
import { plainAddress } from './plain-address.ts';
import { parseProxyHeader } from './proxy-header.ts';

/**
 * For the header, and again for the handshake. NLBs send the header with the client's first bytes, so this is
 * how long a client may be silent, as long as a connection without a request is kept anyway.
 */
export const frontMs = 10_000;

export interface FrontOptions {
  /** From there, every connection begins with a header; from elsewhere, none does. */
  networks: Networks;
  tls: Certificate | null;
  onRefused(peer: string, why: string): void;
}
/** Takes the connection; `address` is the client's. */
export type Hand = (stream: TcpSocket, address: string) => void;

export class Front {
  private readonly options: FrontOptions;
  private readonly tls: TlsServer | null;
  /** Connections that have not been handed on. */
  private readonly waiting = new Set<TcpSocket>();
  /** Those in the handshake, by what tells them apart on both sides of it. */
  private readonly shaking = new Map<string, { address: string; hand: Hand; tcp: TcpSocket }>();

  constructor(options: FrontOptions) {
    this.options = options;
    this.tls = options.tls === null ? null : this.createTls(options.tls);
  }

  accept(tcp: TcpSocket, hand: Hand): void {
    tcp.on('error', () => tcp.destroy());
    this.waiting.add(tcp);
    tcp.once('close', () => this.waiting.delete(tcp));
    const peer = plainAddress(tcp.remoteAddress ?? '');
    if (this.options.networks(peer)) this.readHeader(tcp, peer, hand);
    else this.pass(tcp, peer, hand);
  }

  /** For handshakes from now on. Throws where the two do not fit. */
  use({ cert, key }: Certificate): void {
    this.tls?.setSecureContext({ cert, key });
  }

  close(): void {
    for (const tcp of this.waiting) tcp.destroy();
  }

  private readHeader(tcp: TcpSocket, peer: string, hand: Hand): void {
    let bytes: Buffer = Buffer.alloc(0);
    const stop = (): void => {
      clearTimeout(timer);
      tcp.off('readable', onReadable);
      tcp.off('close', stop);
    };
    const refuse = (why: string): void => {
      stop();
      tcp.destroy();
      this.options.onRefused(peer, why);
    };
    const onReadable = (): void => {
      const chunk = tcp.read() as Buffer | null;
      if (chunk === null) return;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.state === 'bad') refuse(header.why);
      if (header.state !== 'whole') return;
      stop();
      if (bytes.length > header.bytes) tcp.unshift(bytes.subarray(header.bytes));
      this.pass(tcp, header.source ?? peer, hand);
    };
    const timer = setTimeout(() => {
      // A check whether the port is open, or a client that has nothing to say yet.
      if (bytes.length === 0) tcp.destroy();
      else refuse(`Its PROXY protocol header did not come whole within ${frontMs} ms.`);
    }, frontMs);
    tcp.on('readable', onReadable);
    tcp.on('close', stop);
  }

  private pass(tcp: TcpSocket, address: string, hand: Hand): void {
    if (this.tls === null) {
      this.waiting.delete(tcp);
      hand(tcp, address);
      return;
    }
    const key = ends(tcp);
    this.shaking.set(key, { address, hand, tcp });
    tcp.once('close', () => this.shaking.delete(key));
    this.tls.emit('connection', tcp);
  }

  private createTls({ cert, key }: Certificate): TlsServer {
    const server = createServer({ cert, key, handshakeTimeout: frontMs });
    server.on('secureConnection', (stream) => {
      const shaking = this.shaking.get(ends(stream));
      this.shaking.delete(ends(stream));
      stream.on('error', () => stream.destroy());
      if (shaking === undefined) {
        stream.destroy();
        return;
      }
      this.waiting.delete(shaking.tcp);
      shaking.hand(stream, shaking.address);
    });
    server.on('tlsClientError', (_error, stream) => stream.destroy());
    return server;
  }
}

function ends({ localAddress, remoteAddress, remotePort }: TcpSocket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}
