/**
 * The PROXY protocol before uWebSockets.js. The library reads its header by itself, but only without TLVs (an
 * NLB always sends some: such a connection would hang), only in one packet with the request line, on every
 * connection and again before every request, so that clients could name themselves what they like.
 *
 * So Node takes the connection here, reads the header, and carries the bytes to the library over a socket of
 * the file system in a folder that is this process's own. Before them goes a header that the library does
 * read. It names no client but the connection, by a number behind a secret that nobody outside knows.
 *
 * Each byte passes through Node twice: a frame takes about twice the processor time that it takes on the
 * other adapter. It is here so that both obey the same laws; `auto` chooses ws where the PROXY protocol is
 * spoken.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Front, frontMs } from './front.ts';
import { listenNode } from './listening.ts';
import { headerBytesMax } from './sockets.ts';

/** PROXY version 2, a TCP client over IPv6, 36 bytes of addresses. */
const headerStart = Buffer.from('0d0a0d0a000d0a515549540a21210024', 'hex');
const secretBytes = 8;
/** What the library had to say gets so long to leave once it has closed. */
const lingerMs = 5_000;

export class Relay {
  /** Where the library is to listen. */
  readonly path: string;
  private readonly folder: string;
  private readonly secret = randomBytes(secretBytes);
  private readonly server: Server;
  private readonly onFault: (error: unknown) => void;
  private readonly addresses = new Map<bigint, string>();
  private readonly clients = new Set<TcpSocket>();
  private serial = 0n;

  constructor(front: Front, onFault: (error: unknown) => void) {
    this.onFault = onFault;
    this.folder = mkdtempSync(join(tmpdir(), 'rankcast-sockets-'));
    this.path = join(this.folder, 'uws');
    this.server = createServer({ noDelay: true }, (tcp) =>
      front.accept(tcp, (client, address) => this.carry(client, address)),
    );
  }

  /** Resolves with the port. */
  async listen(host: string, port: number, shared: boolean): Promise<number> {
    await listenNode(this.server, { host, port, shared }, this.onFault);
    return (this.server.address() as AddressInfo).port;
  }

  /** Whose connection it is, by what the library read; null: nobody's that came this way. */
  addressOf(proxied: ArrayBuffer): string | null {
    const name = Buffer.from(proxied);
    if (name.length !== 2 * secretBytes) return null;
    if (!name.subarray(0, secretBytes).equals(this.secret)) return null;
    return this.addresses.get(name.readBigUInt64BE(secretBytes)) ?? null;
  }

  stopListening(): void {
    this.server.close();
  }

  close(): void {
    this.stopListening();
    for (const client of this.clients) client.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private carry(client: TcpSocket, address: string): void {
    this.clients.add(client);
    client.on('close', () => this.clients.delete(client));
    readLine(client, (start) => {
      this.serial += 1n;
      const serial = this.serial;
      this.addresses.set(serial, address);
      const library = connect(this.path);
      // In one piece: the library wants its header and the request's line together.
      library.write(Buffer.concat([this.header(serial), start]));
      library.on('error', () => library.destroy());
      library.on('close', () => {
        this.addresses.delete(serial);
        setTimeout(() => client.destroy(), lingerMs).unref();
      });
      client.on('close', () => library.destroy());
      client.pipe(library);
      library.pipe(client);
    });
  }

  private header(serial: bigint): Buffer {
    const addresses = Buffer.alloc(36);
    this.secret.copy(addresses);
    addresses.writeBigUInt64BE(serial, secretBytes);
    return Buffer.concat([headerStart, addresses]);
  }
}

/** Reads until the end of the first line, with what has come behind it. */
function readLine(client: TcpSocket, then: (start: Buffer) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    client.off('readable', onReadable);
    client.off('close', stop);
  };
  const onReadable = (): void => {
    const chunk = client.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (!bytes.includes('\n') && bytes.length <= headerBytesMax) return;
    stop();
    then(bytes);
  };
  const timer = setTimeout(() => client.destroy(), frontMs);
  client.on('readable', onReadable);
  client.on('close', stop);
}
