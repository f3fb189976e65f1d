import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { servicesTag } from './places.ts';

const pollMs = 200;

/**
 * One install at a time into a services folder, whichever processes ask. The lock is an abstract Unix socket:
 * the kernel frees it when its process ends, so none is ever left behind.
 */
export async function withInstallLock<T>(act: () => Promise<T>): Promise<T> {
  const name = `\0rankcast-install-${servicesTag}`;
  let lock = await take(name);
  while (lock === null) {
    await delay(pollMs);
    lock = await take(name);
  }
  try {
    return await act();
  } finally {
    const held = lock;
    await new Promise((resolve) => held.close(resolve));
  }
}

function take(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
