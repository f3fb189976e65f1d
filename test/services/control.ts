/**
 * How `services down`, `status` and `env` reach the process that runs the servers: over an abstract Unix
 * socket named after the services folder, which the kernel frees when that process ends. There is at most
 * one.
 */
import { connect, createServer } from 'node:net';
import type { LocalServer } from './local-services.ts';
import { servicesTag } from './places.ts';

const name = `\0rankcast-services-${servicesTag}`;

export interface ServicesState {
  pid: number;
  state: 'starting' | 'up' | 'stopping';
  servers: LocalServer[];
}

/** Answers the others until this process ends; false: there is one already. */
export function control(state: () => ServicesState, stop: () => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(`${JSON.stringify(state())}\n`);
      socket.setEncoding('utf8').on('data', (text) => {
        if (String(text).includes('stop')) stop();
      });
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(name, () => resolve(true));
  });
}

/** What runs, or null. */
export function askState(): Promise<ServicesState | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(name);
    socket.on('error', () => resolve(null));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
      if (!text.includes('\n')) return;
      socket.destroy();
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        reject(error);
      }
    });
    socket.on('close', () => resolve(null));
  });
}

/** Has the running process stop its servers, and resolves when it has ended; false: there is none. */
export function askToStop(): Promise<boolean> {
  return new Promise((resolve) => {
    let connected = false;
    const socket = connect(name);
    socket.on('connect', () => {
      connected = true;
      socket.write('stop\n');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(connected));
    socket.resume();
  });
}
