/**
 * The laws of the socket port (see sockets.ts), on real sockets on loopback. Run by sockets.uws.test.ts and
 * sockets.ws.test.ts. The HTTP laws are in sockets-http.conformance.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
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

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

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
function hear(client: WebSocket, last: string): Promise<string[]> {
  const heard: string[] = [];
  return new Promise((resolve) => {
    client.on('message', (data: Buffer) => {
      const message = data.length > 200 ? `${data.length} bytes` : data.toString();
      heard.push(message);
      if (message === last) resolve(heard);
    });
  });
}

async function closing(client: WebSocket): Promise<{ code: number; reason: string }> {
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
  lifeLaws(name, create);
  upgradeLaws(name, create);
  processLaws(name, create);
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

  test(`${name} [SOCK-8] within onDropped a handler may leave and end, and then nothing arrives behind the hole`, () =>
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

function lifeLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-10] end: the client sees what was sent, then code and reason`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const { client, peer } = await dial();
      const heard = hear(client, '2');
      const closed = closing(client);
      peer.socket.join('t');
      server.publish('t', text('1'), true);
      peer.socket.send(text('2'));
      peer.socket.end(4002, 'token ran out');
      assert.deepEqual(await heard, ['1', '2']);
      assert.deepEqual(await closed, { code: 4002, reason: 'token ran out' });
    }));

  test(`${name} [SOCK-11] terminate: no close frame`, () =>
    withServer(create, {}, async ({ dial }) => {
      const { client, peer } = await dial();
      client.on('error', () => {});
      const closed = closing(client);
      peer.socket.terminate();
      assert.equal((await closed).code, 1006);
      assert.deepEqual(peer.closes, [1006]);
    }));

  test(`${name} [SOCK-12] onClose once, within end; afterwards calls do nothing`, () =>
    withServer(create, {}, async ({ server, dial, faults }) => {
      const { client, peer } = await dial();
      peer.socket.join('t');
      const closed = closing(client);
      peer.socket.end(4504, 'disconnected');
      assert.deepEqual(peer.closes, [4504]);
      assert.equal(peer.socket.send(text('x')), 'dropped');
      peer.socket.join('u');
      peer.socket.leave('t');
      peer.socket.end(4000, 'again');
      peer.socket.terminate();
      assert.equal(peer.socket.bufferedBytes(), 0);
      server.publish('t', text('y'), true);
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(peer.closes, [4504]);
      assert.equal(peer.drops, 0);
      assert.deepEqual(faults, []);
    }));

  test(`${name} [SOCK-12] onClose tells the code of the client, 1005 for none, 1006 for a cut`, () =>
    withServer(create, {}, async ({ dial }) => {
      const coded = await dial();
      coded.client.close(4123, 'bye');
      const bare = await dial();
      bare.client.close();
      const cut = await dial();
      cut.client.terminate();
      for (const { peer } of [coded, bare, cut]) await peer.until(({ closes }) => closes.length > 0);
      assert.deepEqual(
        [coded, bare, cut].map(({ peer }) => peer.closes),
        [[4123], [1005], [1006]],
      );
    }));

  test(`${name} [SOCK-12] a handler that throws costs its own socket only`, () =>
    withServer(
      create,
      {
        onOpen: () => ({
          onMessage() {
            throw new Error('a bug');
          },
          onDrain() {},
          onDropped() {},
          onClose() {},
        }),
      },
      async ({ url, faults }) => {
        const client = new WebSocket(url);
        await once(client, 'open');
        const closed = closing(client);
        client.send('x');
        assert.equal((await closed).code, 4005);
        assert.equal(faults.length, 1);
      },
    ));

  test(`${name} [SOCK-13] who neither sends nor takes anything is cut; who answers pings stays`, () =>
    withServer(create, { idleMs: 8_000 }, async ({ server, dial, peers }) => {
      const alive = await dial();
      const mute = connect(server.port, '127.0.0.1');
      mute.on('error', () => {});
      mute.write(
        'GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      mute.resume();
      await once(mute, 'close');
      assert.deepEqual(peers[1]?.closes, [4003]);
      assert.deepEqual(alive.peer.closes, []);
      assert.equal(alive.client.readyState, WebSocket.OPEN);
    }));
}

function upgradeLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-14] a refused upgrade gets status, headers and body`, () =>
    withServer(
      create,
      {
        onUpgrade: ({ origin, subprotocols, userAgent, address }) => ({
          accept: false,
          status: 429,
          headers: { 'retry-after': '7', 'content-type': 'application/json' },
          body: JSON.stringify({ origin, subprotocols, userAgent, address }),
        }),
      },
      async ({ url }) => {
        const client = new WebSocket(url, ['a.b', 'rankcast.json'], {
          origin: 'https://app.example',
          headers: { 'User-Agent': 'tester/1' },
        });
        client.on('error', () => {});
        const [, response] = (await once(client, 'unexpected-response')) as [
          unknown,
          import('node:http').IncomingMessage,
        ];
        assert.equal(response.statusCode, 429);
        assert.equal(response.headers['retry-after'], '7');
        let body = '';
        for await (const chunk of response) body += String(chunk);
        assert.deepEqual(JSON.parse(body), {
          origin: 'https://app.example',
          subprotocols: ['a.b', 'rankcast.json'],
          userAgent: 'tester/1',
          address: '127.0.0.1',
        });
      },
    ));

  test(`${name} [SOCK-14] an upgrade may be held back, accepted later, or given up by the client`, () => {
    const waiting: (() => void)[] = [];
    return withServer(
      create,
      {
        onUpgrade: () =>
          new Promise((resolve) => {
            waiting.push(() => resolve({ accept: true, subprotocol: 'rankcast.msgpack' }));
          }),
      },
      async ({ url, peers, faults }) => {
        const gone = connect(Number(new URL(url).port), '127.0.0.1');
        gone.write(
          'GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
        );
        while (waiting.length < 1) await new Promise((resolve) => setImmediate(resolve));
        gone.destroy();
        const client = new WebSocket(url);
        while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
        for (const release of waiting) release();
        await once(client, 'open');
        assert.equal(client.protocol, '');
        assert.ok(peers.length >= 1);
        assert.deepEqual(faults, []);
        client.terminate();
      },
    );
  });

  test(`${name} [SOCK-15] elsewhere an upgrade is a request; on the socket path a plain GET is one too`, () =>
    withServer(
      create,
      { onRequest: async ({ path }) => ({ status: 404, headers: {}, body: `nothing at ${path}` }) },
      async ({ url }) => {
        const client = new WebSocket(url.replace('/v1/socket', '/elsewhere'));
        client.on('error', () => {});
        const [, response] = (await once(client, 'unexpected-response')) as [
          unknown,
          import('node:http').IncomingMessage,
        ];
        assert.equal(response.statusCode, 404);
        response.resume();
        const plain = await fetch(url.replace('ws:', 'http:'));
        assert.equal(await plain.text(), 'nothing at /v1/socket');
      },
    ));
}

function processLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-23] a second start on a taken port fails with a sentence`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      await assert.rejects(
        withServer(create, { port: server.port }, async () => {}),
        new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${server.port}: the port is taken\\.`),
      );
      await dial();
    }));

  test(`${name} [SOCK-24] stopListening refuses newcomers, open sockets stay; close ends them with 4000`, () =>
    withServer(create, {}, async ({ server, url, dial }) => {
      const { client, peer } = await dial();
      server.stopListening();
      server.stopListening();
      const late = new WebSocket(url);
      const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
      const heard = hear(client, 'still here');
      peer.socket.send(text('still here'));
      await heard;
      const closed = closing(client);
      await server.close();
      assert.equal((await closed).code, 4000);
      assert.deepEqual(peer.closes, [4000]);
      await server.close();
    }));
}
