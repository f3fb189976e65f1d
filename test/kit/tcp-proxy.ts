import { connect, createServer, type Socket } from 'node:net';

/** A way to a server on loopback that can be disturbed. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that stand. */
  connections(): number;
  /** How often connections were reset. */
  cuts(): number;
  /** Resets all connections. */
  cut(): void;
  /** Resets each connection once so many more bytes went through, both ways together. */
  cutAfter(bytes: number): void;
  /** New connections are reset at once, or let through. */
  refuse(on: boolean): void;
  /** Bytes of all connections are swallowed in silence, or go on. */
  swallow(on: boolean): void;
  close(): Promise<void>;
}

export async function openTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let through = 0;
  let cuts = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  let refusing = false;
  let swallowing = false;

  function cut(): void {
    cuts += open.size / 2;
    for (const socket of open) socket.resetAndDestroy();
    open.clear();
  }

  function pass(from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => {
      if (swallowing) return;
      through += bytes.length;
      const over = through - cutAt;
      if (over < 0) {
        to.write(bytes);
        return;
      }
      // What came before the cut is on its way, so that a request may be carried out and its answer lost.
      cutAt = Number.POSITIVE_INFINITY;
      to.write(bytes.subarray(0, bytes.length - over), cut);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
  }

  const server = createServer((socket) => {
    if (refusing) {
      socket.resetAndDestroy();
      return;
    }
    const upstream = connect(target);
    open.add(socket);
    open.add(upstream);
    pass(socket, upstream);
    pass(upstream, socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    port,
    connections: () => open.size / 2,
    cuts: () => cuts,
    cut,
    cutAfter(bytes) {
      cutAt = through + bytes;
    },
    refuse(on) {
      refusing = on;
    },
    swallow(on) {
      swallowing = on;
    },
    close() {
      cut();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
