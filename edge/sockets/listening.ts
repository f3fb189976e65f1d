import { type AddressInfo, createServer, type Server } from 'node:net';
import { ServiceError } from '../../proto/codes.ts';

/** A sentence for a listen that failed with `error`. */
export function listenError(host: string, port: number, error: NodeJS.ErrnoException | null): ServiceError {
  return new ServiceError(`Cannot listen on ${host}:${port}: ${reason(error)}.`, false, error ?? undefined);
}

/**
 * Rejects with a sentence. Once it listens an error is of a connection that could not be taken (no
 * descriptors left): `onFault` hears of it, and the server goes on.
 */
export function listenNode(
  server: Server,
  { host, port, shared }: { host: string; port: number; shared: boolean },
  onFault: (error: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(host, port, error));
    server.once('error', onError);
    server.listen({ host, port, exclusive: !shared }, () => {
      server.off('error', onError);
      server.on('error', onFault);
      resolve();
    });
  });
}

/** For a library that only says that it failed: Node's own try says why. */
export function whyNotListening(host: string, port: number): Promise<ServiceError> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(listenError(host, port, error)));
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => resolve(listenError(host, port, null)));
    });
  });
}

/**
 * A port that nobody listens on at this moment. Rejects with a sentence when the host cannot be listened on.
 */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(listenError(host, 0, error)));
    probe.listen({ host, port: 0, exclusive: true }, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function reason(error: NodeJS.ErrnoException | null): string {
  switch (error?.code) {
    case 'EADDRINUSE':
      return 'the port is taken';
    case 'EACCES':
      return 'this user may not listen there';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address';
    default:
      return error === null ? 'the system refused' : error.message;
  }
}
