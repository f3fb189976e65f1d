/**
 * A server of either adapter on loopback, its clients, and what both sides hear; for the conformance files.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Socket, SocketHandler, SocketServer, SocketsFactory, SocketsOptions } from './sockets.ts';

/** A socket on the server's side, with what it has heard. */
export interface Peer extends SocketHandler {
  socket: Socket;
  messages: { text: string; binary: boolean }[];
  drains: number;
  drops: number;
  closes: number[];
  /** Resolves when `done` holds; looked at after each event. */
  until(done: (peer: Peer) => boolean): Promise<void>;
  afterDrop: () => void;
}

export interface Bench {
  server: SocketServer;
  url: string;
  peers: Peer[];
  faults: unknown[];
  /** What `onRefused` was told. */
  refused: { peer: string; why: string }[];
  /** A connected client and its peer; one at a time. */
  dial(subprotocol?: string): Promise<{ client: WebSocket; peer: Peer }>;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export async function withServer(
  create: SocketsFactory,
  changes: Partial<SocketsOptions>,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const peers: Peer[] = [];
  const faults: unknown[] = [];
  const refused: { peer: string; why: string }[] = [];
  const server = await create({
    host: '127.0.0.1',
    port: 0,
    shared: false,
    proxyProtocolFrom: [],
    certificate: null,
    socketPath: '/v1/socket',
    frameBytesMax: 1_000,
    bufferBytesMax: 64 * 1024,
    idleMs: 60_000,
    onUpgrade: ({ subprotocols }) => ({
      accept: true,
      subprotocol: subprotocols[0] === 'rankcast.json' ? 'rankcast.json' : 'rankcast.msgpack',
    }),
    onOpen: (socket) => {
      const peer = createPeer(socket);
      peers.push(peer);
      return peer;
    },
    onRequest: async () => ({ status: 200, headers: {}, body: 'ok' }),
    onRefused: (peer, why) => refused.push({ peer, why }),
    onFault: (error) => faults.push(error),
    ...changes,
  });
  const url = `ws://127.0.0.1:${server.port}/v1/socket`;
  const clients: WebSocket[] = [];
  const dial = async (subprotocol = 'rankcast.msgpack') => {
    const client = new WebSocket(url, subprotocol);
    clients.push(client);
    const before = peers.length;
    await once(client, 'open');
    const peer = peers[before];
    assert.ok(peer, 'onOpen comes before the client is told');
    return { client, peer };
  };
  try {
    await body({ server, url, peers, faults, refused, dial });
  } finally {
    for (const client of clients) client.terminate();
    await server.close();
  }
}

function createPeer(socket: Socket): Peer {
  const waiting: { done: (peer: Peer) => boolean; resolve: () => void }[] = [];
  const look = (): void => {
    for (const entry of [...waiting]) {
      if (!entry.done(peer)) continue;
      waiting.splice(waiting.indexOf(entry), 1);
      entry.resolve();
    }
  };
  const peer: Peer = {
    socket,
    messages: [],
    drains: 0,
    drops: 0,
    closes: [],
    afterDrop: () => {},
    until: (done) =>
      done(peer) ? Promise.resolve() : new Promise((resolve) => waiting.push({ done, resolve })),
    onMessage(bytes, binary) {
      peer.messages.push({ text: new TextDecoder().decode(bytes), binary });
      look();
    },
    onDrain() {
      peer.drains += 1;
      look();
    },
    onDropped() {
      peer.drops += 1;
      peer.afterDrop();
      look();
    },
    onClose(code) {
      peer.closes.push(code);
      look();
    },
  };
  return peer;
}

/** What a client gets, in order, until `last`. */
export function hear(client: WebSocket, last: string): Promise<string[]> {
  const heard: string[] = [];
  return new Promise((resolve) => {
    client.on('message', (data: Buffer) => {
      const message = data.length > 200 ? `${data.length} bytes` : data.toString();
      heard.push(message);
      if (message === last) resolve(heard);
    });
  });
}

export async function closing(client: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** Client stops reading; the server fills its buffer until a send is dropped. */
export function fill(client: WebSocket, peer: Peer, bytes: number): number {
  client.pause();
  const chunk = new Uint8Array(bytes);
  for (let sent = 0; sent < 10_000; sent++) if (peer.socket.send(chunk) === 'dropped') return sent;
  throw new Error('the buffer never fills');
}
