import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/**
 * The TCP connection under a WebSocket, which can be reset; through TLS nobody else could. Rejects when there
 * is none in time.
 */
export function connectTcp(url: URL, timeoutMs: number): Promise<Socket> {
  const port = Number(url.port) || (url.protocol === 'wss:' ? 443 : 80);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostOf(url), port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('it timed out')), timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // Stays for good: an 'error' that nobody hears would end the process.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** What a WebSocket takes to go over it. */
export function overTcp(tcp: Socket, setup: { url: string; tls: ConnectionOptions | undefined }) {
  const url = new URL(setup.url);
  if (url.protocol !== 'wss:') return (): Socket => tcp;
  const host = hostOf(url);
  const servername = isIP(host) ? '' : host;
  return (): Socket => connectTls({ host, servername, ...setup.tls, socket: tcp });
}

function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}
