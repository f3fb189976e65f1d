/** The laws of the socket port (see sockets.ts) about TLS; certificates are made by the `openssl` command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { createAuthority } from '../../test/services/certificates.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { nlbTlvs, proxied } from './proxy-header.bytes.ts';
import type { SocketsFactory, SocketsOptions } from './sockets.ts';
import { type Bench, hear, text, withServer } from './sockets-bench.conformance.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'the command openssl is not here: no certificates can be made';

interface TlsBench extends Bench {
  certificate(name: string): Certificate;
  dialTls(): Promise<WebSocket>;
}

function withTls(
  create: SocketsFactory,
  changes: Partial<SocketsOptions>,
  body: (bench: TlsBench) => Promise<void>,
): Promise<void> {
  const authority = createAuthority();
  const certificate = (name: string): Certificate => {
    const { certFile, keyFile } = authority.server({ name });
    return readCertificate(certFile, keyFile);
  };
  const clients: WebSocket[] = [];
  return withServer(create, { certificate: certificate('first'), ...changes }, async (bench) => {
    const dialTls = async () => {
      const url = bench.url.replace('ws:', 'wss:');
      const client = new WebSocket(url, 'rankcast.msgpack', { rejectUnauthorized: false });
      clients.push(client);
      await once(client, 'open');
      return client;
    };
    try {
      await body({ ...bench, certificate, dialTls });
    } finally {
      for (const client of clients) client.terminate();
    }
  });
}

/** Name on the certificate that a new client is shown. */
async function shown(port: number, servername?: string): Promise<string> {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
  const stream: TLSSocket = connect(servername === undefined ? options : { ...options, servername });
  await once(stream, 'secureConnect');
  const name = stream.getPeerCertificate().subject.CN;
  stream.destroy();
  return String(name);
}

function get(port: number, agent: Agent): Promise<{ body: string; from: number }> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', agent, path: '/' }, (res) => {
      const from = res.socket.localPort ?? 0;
      let body = '';
      res.on('data', (chunk) => {
        body += String(chunk);
      });
      res.on('end', () => resolve({ body, from }));
    })
      .on('error', reject)
      .end();
  });
}

export function socketsTlsConformance(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-29] sockets and requests over TLS; what is not TLS is closed`, { skip }, () =>
    withTls(create, {}, async ({ server, peers, faults, dialTls }) => {
      const client = await dialTls();
      const peer = peers[0]!;
      assert.equal(peer.socket.address, '127.0.0.1');
      peer.socket.join('t');
      const heard = hear(client, 'end');
      peer.socket.send(new Uint8Array(50_000));
      server.publish('t', text('1'), true);
      peer.socket.send(text('end'));
      assert.deepEqual(await heard, ['50000 bytes', '1', 'end']);
      client.send(Buffer.alloc(1_000));
      await peer.until(({ messages }) => messages.length === 1);
      const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
      const first = await get(server.port, agent);
      assert.deepEqual(await get(server.port, agent), { body: 'ok', from: first.from });
      agent.destroy();
      const plain = connectTcp(server.port, '127.0.0.1');
      plain.on('error', () => {});
      plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      plain.resume();
      await once(plain, 'close');
      assert.equal(client.readyState, WebSocket.OPEN);
      assert.deepEqual(faults, []);
    }),
  );

  test(`${name} [SOCK-29] [SOCK-26] TLS begins behind the header of the balancer`, { skip }, () =>
    withTls(create, { proxyProtocolFrom: ['127.0.0.0/8'] }, async ({ server, url, peers, certificate }) => {
      const dial = () => {
        const socket = connectTcp(server.port, '127.0.0.1');
        socket.write(proxied('203.0.113.9', nlbTlvs()));
        return connect({ socket, rejectUnauthorized: false });
      };
      const client = new WebSocket(url.replace('ws:', 'wss:'), { createConnection: dial });
      await once(client, 'open');
      assert.equal(peers[0]?.socket.address, '203.0.113.9');
      await server.useCertificate(certificate('second'));
      const heard = hear(client, 'on');
      peers[0].socket.send(text('on'));
      await heard;
      const stream = dial();
      await once(stream, 'secureConnect');
      assert.equal(stream.getPeerCertificate().subject.CN, 'second');
      stream.destroy();
      client.terminate();
    }),
  );

  test(`${name} [SOCK-30] a new certificate: newcomers see it, who is there stays`, { skip }, () =>
    withTls(create, {}, async ({ server, peers, faults, certificate, dialTls }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
      const { from } = await get(server.port, agent);
      const clients = [await dialTls()];
      for (const round of ['second', 'third']) {
        await server.useCertificate(certificate(round));
        // The former listener is closed in the next turn.
        await new Promise((resolve) => setImmediate(resolve));
        for (let i = 0; i < 10; i++) {
          assert.equal(await shown(server.port), round);
          assert.equal(await shown(server.port, 'localhost'), round);
        }
        clients.push(await dialTls());
      }
      assert.equal((await get(server.port, agent)).from, from, 'the kept-alive connection was used again');
      agent.destroy();
      for (const peer of peers) peer.socket.join('t');
      const heard = clients.map((client) => hear(client, 'all'));
      server.publish('t', text('all'), true);
      assert.deepEqual(await Promise.all(heard), [['all'], ['all'], ['all']]);
      assert.equal(server.sockets, 3);
      assert.deepEqual(
        peers.map(({ closes }) => closes),
        [[], [], []],
      );
      assert.deepEqual(faults, []);
    }),
  );

  test(`${name} [SOCK-30] a certificate that cannot be used is refused, the one before stays`, { skip }, () =>
    withTls(create, {}, async ({ server, certificate, dialTls }) => {
      const client = await dialTls();
      const [good, other] = [certificate('good'), certificate('other')];
      const mixed = { ...good, key: other.key, keyFile: other.keyFile };
      await assert.rejects(server.useCertificate(mixed));
      assert.equal(await shown(server.port), 'first');
      await server.useCertificate(good);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(await shown(server.port), 'good');
      assert.equal(client.readyState, WebSocket.OPEN);
    }),
  );

  test(`${name} [SOCK-23] with TLS too, a second start on a taken port fails`, { skip }, () =>
    withTls(create, {}, async ({ server }) => {
      await assert.rejects(
        withTls(create, { port: server.port }, async () => {}),
        new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${server.port}: the port is taken\\.`),
      );
    }),
  );
}
