/**
 * Free ports on loopback. They lie below the range that outgoing connections take theirs from, so a server
 * that is stopped finds its port free again. Two processes that use this kit never get the same port: each
 * port is held by an abstract Unix socket, which the kernel frees when its process ends. Another program can
 * still take a port before our server does: then the server ends, and is started on others.
 */
import { connect, createServer } from 'node:net';

export const host = '127.0.0.1';
const lowest = 10_500;
const count = 20_000;
const triesMax = 1_000;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = lowest + Math.floor(Math.random() * count);
    if ((await isFree(port)) && (await hold(port))) return port;
  }
  throw new Error(`no free port between ${lowest} and ${lowest + count}`);
}

export async function freePorts(many: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < many) ports.push(await freePort());
  return ports;
}

/** Whether something listens there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.on('connect', () => answer(true));
    socket.on('error', () => answer(false));
  });
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function hold(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(`\0rankcast-port-${port}`, () => resolve(true));
    server.unref();
  });
}
