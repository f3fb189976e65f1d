import type { Server } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { parseProxyHeader } from './sockets/proxy-header.ts';

/** A client may be silent for so long at first. */
export const silentMsMax = 10_000;
const firstOfHeader = 0x0d;

/**
 * Lets connections begin with a PROXY protocol header, or not. A load balancer with the protocol switched on
 * puts it before its health checks too, whatever port these go to; kubelets and Prometheus come to the same
 * port, from the same networks, without one. Whose connection it is says nothing here, so anyone may send it.
 * Returns what ends the connections that have not said anything yet.
 */
export function takeOptionalHeader(server: Server): () => void {
  const silent = new Set<TcpSocket>();
  const serve = server.listeners('connection') as ((tcp: TcpSocket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (tcp: TcpSocket) => {
    silent.add(tcp);
    tcp.once('close', () => silent.delete(tcp));
    readHeader(tcp, () => {
      silent.delete(tcp);
      for (const listener of serve) listener.call(server, tcp);
    });
  });
  return () => {
    for (const tcp of silent) tcp.destroy();
  };
}

function readHeader(tcp: TcpSocket, hand: () => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => tcp.destroy(), silentMsMax);
  const onError = (): void => {
    tcp.destroy();
  };
  const stop = (): void => {
    clearTimeout(timer);
    tcp.off('readable', onReadable);
    tcp.off('error', onError);
    tcp.off('close', stop);
  };
  const pass = (from: number): void => {
    stop();
    if (bytes.length > from) tcp.unshift(bytes.subarray(from));
    hand();
  };
  const onReadable = (): void => {
    const chunk = tcp.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    // No HTTP request begins like it.
    if (bytes[0] !== firstOfHeader) {
      pass(0);
      return;
    }
    const header = parseProxyHeader(bytes);
    if (header.state === 'whole') pass(header.bytes);
    else if (header.state === 'bad') {
      stop();
      tcp.destroy();
    }
  };
  tcp.on('error', onError);
  tcp.on('close', stop);
  tcp.on('readable', onReadable);
}
