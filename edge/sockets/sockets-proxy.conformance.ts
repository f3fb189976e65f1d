/** The laws of the socket port (see sockets.ts) behind a load balancer that speaks the PROXY protocol. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { frontMs } from './front.ts';
import { localHeader, nlbTlvs, proxied, proxyHeader } from './proxy-header.bytes.ts';
import type { HttpRequest, SocketsFactory, SocketsOptions } from './sockets.ts';
import { type Bench, closing, fill, hear, text, withServer } from './sockets-bench.conformance.ts';

/** The balancer; 127.0.0.2 is somebody else. */
const balancer = '127.0.0.1';
const stranger = '127.0.0.2';
const client = '203.0.113.9';
const get = Buffer.from('GET /one HTTP/1.1\r\nHost: x\r\n\r\n');
const last = Buffer.from('GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

interface ProxyBench extends Bench {
  /** Path and address of each request and upgrade. */
  seen: string[];
}

function withProxy(
  create: SocketsFactory,
  body: (bench: ProxyBench) => Promise<void>,
  changes: Partial<SocketsOptions> = {},
): Promise<void> {
  const seen: string[] = [];
  return withServer(
    create,
    {
      proxyProtocolFrom: [`${balancer}/32`],
      onUpgrade: ({ address }) => {
        seen.push(`upgrade ${address}`);
        return { accept: true, subprotocol: 'rankcast.msgpack' };
      },
      onRequest: async ({ path, address }: HttpRequest) => {
        seen.push(`${path} ${address}`);
        return { status: 200, headers: {}, body: address };
      },
      ...changes,
    },
    (bench) => body({ ...bench, seen }),
  );
}

/** Sends the pieces apart, from an address; all that comes back until the connection closes. */
async function say(port: number, pieces: readonly Uint8Array[], localAddress = balancer): Promise<string> {
  const tcp = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  let got = '';
  tcp.on('data', (chunk) => {
    got += String(chunk);
  });
  tcp.on('error', () => {});
  const closed = new Promise((resolve) => tcp.once('close', resolve));
  for (const piece of pieces) {
    if (tcp.destroyed) break;
    tcp.write(piece);
    if (pieces.length > 1) await pause(3);
  }
  await closed;
  return got;
}

function dialBehind(port: number, header: Buffer): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, 'rankcast.msgpack', {
    createConnection: () => {
      const tcp = connect({ port, host: '127.0.0.1', localAddress: balancer });
      tcp.write(header);
      return tcp;
    },
  });
}

export function socketsProxyConformance(name: string, create: SocketsFactory): void {
  headerLaws(name, create);
  refusalLaws(name, create);
  strangerLaws(name, create);
}

function headerLaws(name: string, create: SocketsFactory): void {
  const headers: [string, Buffer, string][] = [
    ['IPv4', proxied(client), client],
    ['IPv4 with the TLVs of an NLB', proxied(client, nlbTlvs()), client],
    ['IPv6', proxied('2001:db8::5'), '2001:db8::5'],
    ['IPv4 in IPv6', proxied(`::ffff:${client}`), client],
    ['LOCAL', localHeader, balancer],
    ['LOCAL with addresses', proxyHeader(0, 0x11, Buffer.alloc(12, 9)), balancer],
    ['UNSPEC', proxyHeader(1, 0, Buffer.alloc(0)), balancer],
  ];
  test(`${name} [SOCK-26] whose connection it is, for requests, upgrades and sockets`, () =>
    withProxy(create, async ({ server, seen, peers, faults, refused }) => {
      for (const [kind, header, address] of headers) {
        assert.match(await say(server.port, [Buffer.concat([header, last])]), /200 OK/, kind);
        assert.deepEqual(seen, [`/two ${address}`], kind);
        seen.length = 0;
        const socket = dialBehind(server.port, header);
        await once(socket, 'open');
        assert.deepEqual(seen, [`upgrade ${address}`], kind);
        assert.equal(peers.at(-1)?.socket.address, address);
        socket.terminate();
        seen.length = 0;
      }
      assert.deepEqual(faults, []);
      assert.deepEqual(refused, []);
    }));

  test(`${name} [SOCK-26] header and request line in pieces; the address stays for later requests`, () =>
    withProxy(create, async ({ server, seen }) => {
      const header = proxied(client, nlbTlvs());
      const bytes = Buffer.concat([header, get]);
      const single = Array.from(bytes, (byte) => Buffer.from([byte]));
      const ways = [
        single,
        [header, get],
        [header.subarray(0, 20), Buffer.concat([header.subarray(20), get.subarray(0, 3)]), get.subarray(3)],
      ];
      for (const way of ways) {
        const got = await say(server.port, [...way, Buffer.alloc(0), last]);
        assert.equal(got.split('200 OK').length, 3, got);
        assert.deepEqual(seen, [`/one ${client}`, `/two ${client}`]);
        seen.length = 0;
      }
    }));

  test(`${name} [SOCK-26] the laws of sockets hold behind it: order, bounds, drains, closes`, () =>
    withProxy(create, async ({ server, peers, faults }) => {
      const slow = dialBehind(server.port, proxied(client));
      await once(slow, 'open');
      const peer = peers[0]!;
      peer.socket.join('t');
      const heard = hear(slow, 'end');
      fill(slow, peer, 16_000);
      server.publish('t', text('lost'), true);
      await peer.until(({ drops }) => drops > 0);
      slow.resume();
      await peer.until(({ drains }) => drains > 0);
      server.publish('t', text('1'), true);
      peer.socket.send(text('2'));
      server.publish('t', text('end'), true);
      assert.deepEqual((await heard).slice(-3), ['1', '2', 'end']);
      slow.send(Buffer.alloc(999));
      await peer.until(({ messages }) => messages.length === 1);
      const closed = closing(slow);
      peer.socket.end(4002, 'token ran out');
      assert.deepEqual(await closed, { code: 4002, reason: 'token ran out' });
      const cut = dialBehind(server.port, proxied(client));
      await once(cut, 'open');
      cut.terminate();
      await peers[1]!.until(({ closes }) => closes.length > 0);
      assert.deepEqual(peers[1]!.closes, [1006]);
      assert.equal(server.sockets, 0);
      assert.deepEqual(faults, []);
    }));
}

function refusalLaws(name: string, create: SocketsFactory): void {
  const wrong: [string, Buffer, RegExp][] = [
    ['no header', get, /does not begin with a PROXY protocol header/],
    ['garbage', Buffer.from('\r\n\r\n\0\r\nnonsense'), /does not begin/],
    ['TLS', Buffer.from('160301020001', 'hex'), /does not begin/],
    ['version 1', Buffer.from(`PROXY TCP4 ${client} 10.0.0.1 1 2\r\n`), /version 1; only version 2/],
    ['UDP', proxyHeader(1, 0x12, Buffer.alloc(12)), /family 0x12/],
    ['no addresses', proxyHeader(1, 0x11, Buffer.alloc(4)), /4 bytes of addresses; it needs 12/],
    ['too long', proxied(client, Buffer.alloc(60_000)), /60028 bytes; 4096 are read/],
  ];
  test(`${name} [SOCK-27] from the balancer's network: no header, no connection, and a sentence why`, () =>
    withProxy(create, async ({ server, seen, refused, peers }) => {
      for (const [kind, bytes, why] of wrong) {
        assert.equal(await say(server.port, [bytes]), '', kind);
        assert.match(refused.at(-1)?.why ?? '', why, kind);
        assert.equal(refused.at(-1)?.peer, balancer);
      }
      assert.equal(refused.length, wrong.length);
      connect({ port: server.port, host: '127.0.0.1' }).end();
      const direct = new WebSocket(`ws://127.0.0.1:${server.port}/v1/socket`);
      await once(direct, 'error');
      assert.deepEqual(seen, []);
      assert.equal(peers.length, 0);
      assert.equal(refused.length, wrong.length + 1);
    }));

  test(`${name} [SOCK-27] a header that does not come in time, or not whole`, () =>
    withProxy(create, async ({ server, seen, refused }) => {
      const began = performance.now();
      const got = await Promise.all([
        say(server.port, []),
        say(server.port, [proxied(client).subarray(0, 17)]),
      ]);
      assert.deepEqual(got, ['', '']);
      assert.ok(performance.now() - began > frontMs * 0.9);
      assert.deepEqual(seen, []);
      assert.deepEqual(
        refused.map(({ why }) => why),
        [`Its PROXY protocol header did not come whole within ${frontMs} ms.`],
      );
    }));
}

function strangerLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-28] from elsewhere a header is not believed; without one all is as ever`, () =>
    withProxy(create, async ({ server, seen, faults }) => {
      assert.match(await say(server.port, [last], stranger), /200 OK/);
      assert.deepEqual(seen, [`/two ${stranger}`]);
      seen.length = 0;
      for (const header of [proxied(client), proxied('2001:db8::5')]) {
        const got = await say(server.port, [Buffer.concat([header, last])], stranger);
        assert.doesNotMatch(got, /200 OK/);
      }
      assert.deepEqual(seen, []);
      assert.deepEqual(faults, []);
    }));

  test(`${name} [SOCK-28] where the PROXY protocol is not spoken, nobody's header is believed`, () =>
    withProxy(
      create,
      async ({ server, seen }) => {
        assert.match(await say(server.port, [last]), /200 OK/);
        assert.deepEqual(seen, [`/two ${balancer}`]);
        assert.doesNotMatch(await say(server.port, [Buffer.concat([proxied(client), last])]), /200 OK/);
        const upgrade = dialBehind(server.port, proxied(client));
        await once(upgrade, 'error');
        assert.equal(seen.length, 1);
      },
      { proxyProtocolFrom: [] },
    ));

  test(`${name} [SOCK-28] a second header, at once or before a later request, changes nothing`, () =>
    withProxy(create, async ({ server, seen }) => {
      const spoof = '198.51.100.66';
      const seconds = [proxied(spoof), proxied(spoof, nlbTlvs()), localHeader];
      const behind = seconds.map((second) =>
        say(server.port, [Buffer.concat([proxied(client), second, last])]),
      );
      for (const got of await Promise.all(behind)) assert.doesNotMatch(got, /200 OK/);
      assert.deepEqual(seen, []);
      const later = seconds.map((second) =>
        say(server.port, [
          Buffer.concat([proxied(client), get]),
          Buffer.alloc(0),
          Buffer.concat([second, last]),
        ]),
      );
      // the first request is answered, unless the second header came so close that both fell together
      for (const got of await Promise.all(later)) assert.ok(got.split('200 OK').length <= 2, got);
      assert.ok(seen.length <= seconds.length);
      for (const one of seen) assert.equal(one, `/one ${client}`);
    }));
}
