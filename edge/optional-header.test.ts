import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { takeOptionalHeader } from './optional-header.ts';
import { localHeader, nlbTlvs, proxied } from './sockets/proxy-header.bytes.ts';

const server = createServer((req, res) => {
  res.end(`${req.method} ${req.url} ${req.headers['x-many']?.length ?? 0}\n`);
});
const endSilent = takeOptionalHeader(server);
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** All that comes back until the server closes the connection. */
async function say(...pieces: (Buffer | string)[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const tcp = connect(port, '127.0.0.1');
  tcp.setNoDelay(true);
  let heard = '';
  tcp.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  tcp.on('error', () => {});
  const closed = once(tcp, 'close');
  for (const piece of pieces) {
    tcp.write(piece);
    await delay(2);
  }
  await closed;
  return heard;
}
const request = 'GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
const check = localHeader;
const client = proxied('203.0.113.7', nlbTlvs());

test('a request without a header is answered, whole or in pieces', async () => {
  assert.match(await say(request), /^HTTP\/1\.1 200 .*GET \/readyz 0\n$/s);
  assert.match(await say(...[...request].map((char) => char)), /GET \/readyz 0/);
});

test('a load balancer’s header is taken off, with its request, before it, or byte by byte', async () => {
  for (const header of [check, client]) {
    assert.match(await say(Buffer.concat([header, Buffer.from(request)])), /GET \/readyz 0/);
    assert.match(await say(header, request), /GET \/readyz 0/);
    const bytes = [...header].map((byte) => Buffer.from([byte]));
    assert.match(await say(...bytes, request), /GET \/readyz 0/);
  }
});

test('further requests of the connection, and those of some size, come through', async () => {
  const first = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
  const heard = await say(check, first, request.replace('host', `x-many: ${'m'.repeat(9_000)}\r\nhost`));
  assert.match(heard, /GET \/healthz 0\n.*GET \/readyz 9000/s);
});

test('what begins like a header and is none is closed; so is who says nothing', async () => {
  assert.equal(await say('\r\nGET / HTTP/1.1\r\n\r\n'), '');
  assert.equal(await say(Buffer.from(check.map((byte, index) => (index === 12 ? 0x31 : byte)))), '');
});

test('silent connections can be ended, and no others', async () => {
  const { port } = server.address() as AddressInfo;
  const tcp = connect(port, '127.0.0.1');
  tcp.on('error', () => {});
  const closed = once(tcp, 'close');
  await once(tcp, 'connect');
  const answer = say(request);
  await delay(20);
  endSilent();
  await closed;
  assert.match(await answer, /200/);
});
