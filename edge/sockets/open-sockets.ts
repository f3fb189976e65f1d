import type { Logger } from 'pino';
import type { SocketServer, SocketsOptions } from './sockets.ts';

/**
 * uWebSockets.js; where its binary does not load, or load balancers speak the PROXY protocol (see
 * uws-relay.ts), ws, and the log says so. A taken port is not a reason to
 * fall back.
 */
export async function openSockets(
  options: SocketsOptions,
  choice: 'auto' | 'uws' | 'ws',
  logger: Logger,
): Promise<SocketServer> {
  const proxied = options.proxyProtocolFrom.length > 0;
  if (choice === 'auto' && proxied) {
    logger.info(
      'Sockets run on ws: uWebSockets.js does not read the PROXY protocol as load balancers send it.',
    );
  } else if (choice !== 'ws') {
    if (proxied) {
      logger.warn(
        'The PROXY protocol is read before uWebSockets.js, which costs more than --sockets ws does.',
      );
    }
    const create = await loadUws(choice, logger);
    if (create !== null) return create(options);
  }
  const { createWsSockets } = await import('./sockets.ws.ts');
  return createWsSockets(options);
}

async function loadUws(choice: 'auto' | 'uws', logger: Logger) {
  try {
    await (await import('./uws-library.ts')).loadUws();
    return (await import('./sockets.uws.ts')).createUwsSockets;
  } catch (error) {
    if (choice === 'uws') throw error;
    logger.warn(
      { err: error },
      'The binary of uWebSockets.js does not load here: sockets run on ws, which is slower.',
    );
    return null;
  }
}

/** Whether the binary of uWebSockets.js loads on this Node and this machine. */
export async function uwsLoads(): Promise<boolean> {
  try {
    await (await import('./uws-library.ts')).loadUws();
    return true;
  } catch {
    return false;
  }
}
