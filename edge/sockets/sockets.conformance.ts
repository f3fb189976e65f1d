/**
 * The laws of the socket port (see sockets.ts), on real sockets on loopback. Run by sockets.uws.test.ts and
 * sockets.ws.test.ts. Here: order and
 * bounds. Life and upgrades are in sockets-life.conformance.ts, HTTP in sockets-http.conformance.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { Socket, SocketHandler, SocketServer, SocketsFactory, SocketsOptions } from './sockets.ts';
import { frameHardFactor } from './sockets.ts';

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
  const server = await create({
    host: '127.0.0.1',
    port: 0,
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
    await body({ server, url, peers, faults, dial });
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
function fill(client: WebSocket, peer: Peer, bytes: number): number {
  client.pause();
  const chunk = new Uint8Array(bytes);
  for (let sent = 0; sent < 10_000; sent++) if (peer.socket.send(chunk) === 'dropped') return sent;
  throw new Error('the buffer never fills');
}

export function socketsConformance(name: string, create: SocketsFactory): void {
  orderLaws(name, create);
  boundLaws(name, create);
}

function orderLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-1] sends and publications keep the order in which they were made`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const { client, peer } = await dial();
      const heard = hear(client, 'end');
      const expected: string[] = [];
      peer.socket.join('t');
      peer.socket.join('u');
      for (let i = 0; i < 300; i++) {
        expected.push(`${i}`);
        if (i % 3 === 0) peer.socket.send(text(`${i}`));
        else server.publish(i % 3 === 1 ? 't' : 'u', text(`${i}`), true);
      }
      peer.socket.send(text('end'));
      assert.deepEqual(await heard, [...expected, 'end']);
    }));

  test(`${name} [SOCK-2] who joins gets what is published from then on, also in one turn`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const early = await dial();
      const late = await dial();
      const heardEarly = hear(early.client, 'end');
      const heardLate = hear(late.client, 'end');
      early.peer.socket.join('t');
      server.publish('t', text('1'), true);
      late.peer.socket.send(text('snapshot'));
      late.peer.socket.join('t');
      server.publish('t', text('2'), true);
      server.publish('t', text('end'), true);
      assert.deepEqual(await heardEarly, ['1', '2', 'end']);
      assert.deepEqual(await heardLate, ['snapshot', '2', 'end']);
    }));

  test(`${name} [SOCK-3] after leave nothing more comes; joining twice delivers once`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const { client, peer } = await dial();
      const heard = hear(client, 'end');
      peer.socket.join('t');
      peer.socket.join('t');
      server.publish('t', text('1'), true);
      peer.socket.leave('t');
      server.publish('t', text('2'), true);
      peer.socket.join('t');
      server.publish('t', text('3'), true);
      peer.socket.leave('t');
      peer.socket.leave('never joined');
      peer.socket.send(text('end'));
      assert.deepEqual(await heard, ['1', '3', 'end']);
    }));

  test(`${name} [SOCK-4] binary arrives as binary, text as text`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const kinds: Record<string, boolean[]> = {};
      for (const subprotocol of ['rankcast.msgpack', 'rankcast.json']) {
        const { client, peer } = await dial(subprotocol);
        assert.equal(client.protocol, subprotocol);
        const heard: boolean[] = [];
        kinds[subprotocol] = heard;
        const three = new Promise<void>((resolve) => {
          client.on('message', (_data, binary) => {
            if (heard.push(binary) === 3) resolve();
          });
        });
        peer.socket.join('t');
        peer.socket.send(text('{}'));
        server.publish('t', text('{}'), true);
        server.publish('t', text('{}'), false);
        await three;
        peer.socket.leave('t');
        client.send('as text');
        client.send(Buffer.from('as binary'));
        await peer.until(({ messages }) => messages.length === 2);
        assert.deepEqual(peer.messages, [
          { text: 'as text', binary: false },
          { text: 'as binary', binary: true },
        ]);
      }
      assert.deepEqual(kinds, {
        'rankcast.msgpack': [true, true, false],
        'rankcast.json': [false, true, false],
      });
    }));

  test(`${name} [SOCK-5] the caller may reuse its bytes`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const { client, peer } = await dial();
      const heard = hear(client, 'end');
      const shared = new Uint8Array(new ArrayBuffer(64), 7, 3);
      peer.socket.join('t');
      for (const word of ['one', 'two', 'end']) {
        shared.set(text(word));
        if (word === 'two') peer.socket.send(shared);
        else server.publish('t', shared, true);
      }
      shared.fill(0);
      assert.deepEqual(await heard, ['one', 'two', 'end']);
    }));

  test(`${name} [SOCK-1] messages of every length class arrive whole`, () =>
    withServer(create, { bufferBytesMax: 16 * 1024 * 1024 }, async ({ server, dial }) => {
      const { client, peer } = await dial();
      const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000];
      const got: number[] = [];
      const all = new Promise<void>((resolve) => {
        client.on('message', (data: Buffer) => {
          if (got.push(data.length) === lengths.length * 2) resolve();
        });
      });
      peer.socket.join('t');
      for (const length of lengths) {
        server.publish('t', new Uint8Array(length), true);
        peer.socket.send(new Uint8Array(length));
      }
      await all;
      assert.deepEqual(
        got,
        lengths.flatMap((length) => [length, length]),
      );
    }));
}

function boundLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-6] a frame beyond frameBytesMax ends the socket with 4502 and is not handed over`, () =>
    withServer(create, {}, async ({ dial }) => {
      const { client, peer } = await dial();
      const closed = closing(client);
      client.send(Buffer.alloc(1_000));
      client.send(Buffer.alloc(1_001));
      const { code, reason } = await closed;
      assert.equal(code, 4502);
      assert.match(reason, /1001 bytes; 1000 are allowed/);
      assert.deepEqual(peer.closes, [4502]);
      assert.equal(peer.messages.length, 1);
    }));

  test(`${name} [SOCK-6] a frame far beyond the bound is cut off`, () =>
    withServer(create, {}, async ({ dial, faults }) => {
      const { client, peer } = await dial();
      client.on('error', () => {});
      const closed = closing(client);
      client.send(Buffer.alloc(1_000 * frameHardFactor * 100));
      const { code } = await closed;
      assert.ok(code === 1009 || code === 1006, `closed with ${code}`);
      await peer.until(({ closes }) => closes.length === 1);
      assert.equal(peer.messages.length, 0);
      assert.deepEqual(faults, []);
    }));

  test(`${name} [SOCK-7] over bufferBytesMax messages are dropped, and others get theirs`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const slow = await dial();
      const quick = await dial();
      const heard = hear(quick.client, 'end');
      slow.peer.socket.join('t');
      quick.peer.socket.join('t');
      fill(slow.client, slow.peer, 16_000);
      assert.ok(slow.peer.socket.bufferedBytes() > 64 * 1024);
      assert.ok(slow.peer.socket.bufferedBytes() < 64 * 1024 + 16_100, 'by one message at most');
      assert.equal(slow.peer.socket.send(text('small')), 'dropped');
      server.publish('t', text('1'), true);
      server.publish('t', text('end'), true);
      assert.deepEqual(await heard, ['1', 'end']);
      await slow.peer.until(({ drops }) => drops > 0);
    }));

  test(`${name} [SOCK-8] onDropped comes before anything later, for sends within the call`, () =>
    withServer(create, {}, async ({ dial }) => {
      const { client, peer } = await dial();
      fill(client, peer, 16_000);
      assert.ok(peer.drops >= 1);
    }));

  test(`${name} [SOCK-8] within onDropped a handler may leave and end; nothing arrives behind the hole`, () =>
    withServer(create, {}, async ({ server, dial, faults }) => {
      const { client, peer } = await dial();
      const others = [await dial(), await dial(), await dial()];
      const heardOthers = others.map((other) => hear(other.client, 'end'));
      for (const each of [peer, ...others.map((other) => other.peer)]) {
        each.socket.join('t');
        each.socket.join('u');
      }
      const heard: string[] = [];
      client.on('message', (data: Buffer) => heard.push(data.subarray(0, 6).toString()));
      client.pause();
      peer.afterDrop = () => {
        peer.socket.leave('t');
        peer.socket.leave('u');
        peer.socket.end(4001, 'slow');
      };
      const chunk = new Uint8Array(1_500);
      for (let i = 100_000; i < 110_000 && peer.drops === 0; i++) {
        chunk.set(text(`${i}`));
        server.publish(i % 2 === 0 ? 't' : 'u', chunk, true);
        if (i % 40 !== 0) continue;
        while (others.some((other) => other.peer.socket.bufferedBytes() > 0)) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await peer.until(({ drops }) => drops > 0);
      for (let i = 0; i < 100; i++) server.publish('t', text('later'), true);
      server.publish('t', text('end'), true);
      client.resume();
      await Promise.all([closing(client), ...heardOthers]);
      assert.equal(peer.drops, 1);
      assert.deepEqual(faults, []);
      assert.deepEqual(peer.closes, [4001]);
      heard.forEach((message, i) => {
        assert.equal(message, `${100_000 + i}`);
      });
    }));

  test(`${name} [SOCK-9] after every drop onDrain comes once the client reads on`, () =>
    withServer(create, {}, async ({ server, dial, faults }) => {
      const { client, peer } = await dial();
      peer.socket.join('t');
      const chunk = new Uint8Array(1_500);
      for (let round = 1; round <= 3; round++) {
        client.pause();
        const before = { drops: peer.drops, drains: 0 };
        peer.afterDrop = () => {
          before.drains = peer.drains;
        };
        while (peer.drops === before.drops) {
          for (let i = 0; i < 40; i++) server.publish('t', chunk, true);
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.resume();
        await peer.until(({ drains }) => drains > before.drains);
      }
      assert.equal(peer.socket.send(text('end')), 'sent');
      assert.equal(server.sockets, 1);
      assert.deepEqual(faults, []);
    }));

  test(`${name} [SOCK-9] onDrain comes when the buffer is empty again, and the socket goes on`, () =>
    withServer(create, {}, async ({ dial }) => {
      const { client, peer } = await dial();
      fill(client, peer, 16_000);
      assert.equal(peer.drains, 0);
      const heard = hear(client, 'end');
      client.resume();
      await peer.until(({ drains }) => drains > 0);
      assert.equal(peer.socket.bufferedBytes(), 0);
      assert.equal(peer.socket.send(text('end')), 'sent');
      await heard;
    }));
}
