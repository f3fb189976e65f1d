/**
 * The laws of the socket port (see sockets.ts), on real sockets on loopback. Run by sockets.uws.test.ts and
 * sockets.ws.test.ts. Here: order and
 * bounds. Life and upgrades are in sockets-life.conformance.ts, HTTP in sockets-http.conformance.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketsFactory } from './sockets.ts';
import { frameHardFactor } from './sockets.ts';
import { closing, fill, hear, text, withServer } from './sockets-bench.conformance.ts';

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
  test(`${name} [SOCK-6] [PR-13] a frame beyond frameBytesMax ends the socket with 4502`, () =>
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

  test(`${name} [SOCK-8] onDropped comes after the send, and until then nothing is sent`, () =>
    withServer(create, {}, async ({ dial }) => {
      const { client, peer } = await dial();
      fill(client, peer, 16_000);
      assert.equal(peer.drops, 0);
      assert.equal(peer.socket.send(text('small')), 'dropped');
      await peer.until(({ drops }) => drops === 1);
    }));

  test(`${name} [SOCK-8] who is told inside a publish may use the publisher's buffer`, () =>
    withServer(create, {}, async ({ server, dial }) => {
      const slow = await dial();
      const quick = await dial();
      const heard = hear(quick.client, 'end');
      quick.peer.socket.join('t');
      fill(slow.client, slow.peer, 16_000);
      const shared = text('end');
      slow.peer.afterDrop = () => shared.set(text('bad'));
      server.publish('t', shared, true);
      assert.deepEqual(await heard, ['end']);
      assert.equal(slow.peer.drops, 1);
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
