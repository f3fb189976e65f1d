/** The laws of the socket port (see sockets.ts) about a socket's life, upgrades and the listening itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { SocketsFactory } from './sockets.ts';
import { closing, hear, text, withServer } from './sockets-bench.conformance.ts';

export function socketsLifeConformance(name: string, create: SocketsFactory): void {
  lifeLaws(name, create);
  upgradeLaws(name, create);
  processLaws(name, create);
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

  test(`${name} [SOCK-13] [PR-8] who neither sends nor takes anything is cut; who answers pings stays`, () =>
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

  test(`${name} [SOCK-24] stopListening: no newcomers, open sockets stay; close ends them with 4000`, () =>
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
