/** Between a client and a server: a line that a test cuts, or lets go silent while it stays open. */
import { connect, createServer, type Socket } from 'node:net';
import { host } from './ports.ts';

export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly connections: ReadonlySet<ProxiedConnection>;
  /** Ends all connections without a word. */
  cut(): void;
  /** From now on new connections are ended at once (true), or taken again. */
  refuse(isRefused: boolean): void;
  close(): Promise<void>;
}

export interface ProxiedConnection {
  /** The beginning of what the client has sent, as text. */
  readonly said: string;
  /** Both sides stay open; what either sends is thrown away. */
  swallow(): void;
  /** Nothing is read from the server any more; what it sends piles up there. */
  stopReading(): void;
  cut(): void;
}

const saidCharsMax = 65_536;

class Line implements ProxiedConnection {
  said = '';
  readonly #client: Socket;
  readonly #server: Socket;
  #swallows = false;

  constructor(client: Socket, server: Socket, onEnd: () => void) {
    this.#client = client;
    this.#server = server;
    client.on('data', (bytes) => {
      if (this.said.length < saidCharsMax) this.said += bytes.toString('latin1');
      if (!this.#swallows) server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!this.#swallows) client.write(bytes);
    });
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        // While bytes are swallowed neither side hears of the other's end.
        if (!this.#swallows) this.cut();
        if (client.destroyed && server.destroyed) onEnd();
      });
    }
  }

  swallow(): void {
    this.#swallows = true;
  }
  stopReading(): void {
    this.#server.pause();
  }
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const connections = new Set<Line>();
  let isRefused = false;
  const server = createServer((client) => {
    if (isRefused) {
      client.destroy();
      return;
    }
    const line: Line = new Line(client, connect(target.port, target.host), () => connections.delete(line));
    connections.add(line);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  const cut = (): void => {
    for (const line of [...connections]) line.cut();
  };
  return {
    host,
    port,
    address: `${host}:${port}`,
    connections,
    cut,
    refuse(value) {
      isRefused = value;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
