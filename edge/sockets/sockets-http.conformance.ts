/** The HTTP laws of the socket port (see sockets.ts), on real connections on loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError } from '../../proto/codes.ts';
import type { HttpRequest, SocketsFactory } from './sockets.ts';
import { withServer } from './sockets-bench.conformance.ts';

interface Got {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

interface Asked {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: Uint8Array;
  agent?: Agent;
}

function ask(port: number, asked: Asked): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers = {}, body, agent } = asked;
    const req = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      );
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Sends bytes as they are, and gives back all that comes until the connection closes. */
async function raw(port: number, bytes: string, pieces = 1, line = ''): Promise<string> {
  const tcp = connect({ port, host: '127.0.0.1', noDelay: true });
  let got = '';
  tcp.on('data', (chunk) => {
    got += String(chunk);
  });
  tcp.on('error', () => {});
  const closed = new Promise((resolve) => tcp.once('close', resolve));
  if (line !== '') tcp.write(line);
  const length = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && !tcp.destroyed; at += length) {
    tcp.write(bytes.slice(at, at + length));
    // Pieces are read apart.
    for (let turn = 0; turn < 5 && pieces > 1; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return got;
}

/**
 * A client that never closes its side. Resolves with what it was told when the connection is gone: once this
 * side has ended, a byte is sent now and then, which a connection that still stands would take.
 */
async function halfOpen(port: number, bytes: string | Uint8Array): Promise<string> {
  const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let got = '';
  let probing: NodeJS.Timeout | undefined;
  tcp.on('data', (chunk) => {
    got += String(chunk);
  });
  tcp.on('error', () => {});
  tcp.on('end', () => {
    probing = setInterval(() => tcp.write('x'), 100);
  });
  const closed = new Promise<boolean>((resolve) => tcp.once('close', () => resolve(true)));
  if (bytes.length > 0) tcp.write(bytes);
  const late = new AbortController();
  const inTime = pause(halfOpenMs, false, { signal: late.signal }).catch(() => false);
  const gone = await Promise.race([closed, inTime]);
  late.abort();
  clearInterval(probing);
  tcp.destroy();
  assert.ok(gone, `after ${JSON.stringify(String(bytes).slice(0, 60))} the connection still stands`);
  return got;
}
const halfOpenMs = 17_000;

const json = { 'content-type': 'application/json' };

/** Answers with what it was asked, the body up to 1,000 bytes included. */
async function echo(request: HttpRequest) {
  const { method, path, query, headers, address } = request;
  try {
    const bytes = await request.body(1_000);
    const body = Buffer.from(bytes).toString();
    const answer = { method, path, query: [...query], headers, address, body };
    return { status: 200, headers: json, body: JSON.stringify(answer) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { status: 413, headers: json, body: JSON.stringify({ code: error.code, message: error.message }) };
  }
}

export function socketsHttpConformance(name: string, create: SocketsFactory): void {
  requestLaws(name, create);
  bodyLaws(name, create);
  connectionLaws(name, create);
  endingLaws(name, create);
}

function requestLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-16] names lower-case, repeats joined, path and query apart`, () =>
    withServer(create, { onRequest: echo }, async ({ server }) => {
      const got = await ask(server.port, {
        path: '/v1/a%3Ab/c?x=1&x=%20two&y',
        headers: { 'X-MiXed': 'Value', 'X-Twice': ['one', 'two'] },
      });
      const seen = JSON.parse(got.body.toString());
      assert.equal(got.status, 200);
      assert.equal(got.headers['content-type'], 'application/json');
      assert.equal(seen.path, '/v1/a%3Ab/c');
      assert.deepEqual(seen.query, [
        ['x', '1'],
        ['x', ' two'],
        ['y', ''],
      ]);
      assert.equal(seen.headers['x-mixed'], 'Value');
      assert.equal(seen.headers['x-twice'], 'one, two');
      assert.equal(seen.address, '127.0.0.1');
    }));

  test(`${name} [SOCK-19] HEAD: the headers and length of the body, and no body`, () =>
    withServer(create, {}, async ({ server }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const got = await ask(server.port, { method: 'HEAD', agent });
      assert.equal(got.status, 200);
      assert.equal(got.headers['content-length'], '2');
      assert.equal(got.body.length, 0);
      assert.equal((await ask(server.port, { agent })).body.toString(), 'ok');
      agent.destroy();
    }));

  test(`${name} [SOCK-20] methods come as sent; one that nobody knows is answered 4xx`, () =>
    withServer(
      create,
      {
        onRequest: async ({ method }) =>
          ['PUT', 'DELETE', 'PATCH', 'OPTIONS'].includes(method)
            ? { status: 200, headers: {}, body: method }
            : { status: 405, headers: {}, body: '' },
      },
      async ({ server }) => {
        for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
          assert.equal((await ask(server.port, { method })).body.toString(), method);
        }
        const odd = await raw(server.port, 'BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        assert.match(odd, /^HTTP\/1\.1 4\d\d /);
      },
    ));

  test(`${name} [SOCK-25] long lines and headers come whole, also in pieces; endless ones are cut off`, () =>
    withServer(create, { onRequest: echo }, async ({ server }) => {
      const query = Array.from({ length: 500 }, (_, i) => `entry=${String(i).padStart(36, '0')}`).join('&');
      const line = `GET /?${query} HTTP/1.1\r\n`;
      const headers = `Host: x\r\nX-Token: ${'t'.repeat(8_000)}\r\nConnection: close\r\n\r\n`;
      for (const pieces of [1, 5]) {
        const got = await raw(server.port, headers, pieces, line);
        assert.match(got, /^HTTP\/1\.1 200 /);
        assert.match(got, /0000499"/);
        assert.match(got, /"x-token":"t{8000}"/);
      }
      const endless = `Host: x\r\nX: ${'y'.repeat(100_000)}`;
      assert.doesNotMatch(await raw(server.port, endless, 5, 'GET / HTTP/1.1\r\n'), / 200 /);
    }));

  test(`${name} [SOCK-20] bytes that are no HTTP close the connection, and nobody else's`, () =>
    withServer(create, {}, async ({ server, faults }) => {
      const got = await raw(server.port, '\x16\x03\x01 this is not HTTP\r\n\r\n\r\n');
      assert.doesNotMatch(got, / 200 /);
      assert.equal((await ask(server.port, {})).status, 200);
      assert.deepEqual(faults, []);
    }));

  test(`${name} [SOCK-22] a rejected onRequest is a 500 without details`, () =>
    withServer(
      create,
      { onRequest: () => Promise.reject(new Error('secret detail')) },
      async ({ server, faults }) => {
        const got = await ask(server.port, {});
        assert.equal(got.status, 500);
        assert.doesNotMatch(got.body.toString(), /secret/);
        assert.equal(faults.length, 1);
      },
    ));
}

function bodyLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-17] a body up to the bound comes whole, in one piece or in chunks`, () =>
    withServer(create, { onRequest: echo }, async ({ server }) => {
      const whole = Buffer.alloc(1_000, 'a');
      const got = await ask(server.port, { method: 'POST', body: whole });
      assert.equal(JSON.parse(got.body.toString()).body, whole.toString());
      const chunked = await raw(
        server.port,
        'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
          '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
      );
      assert.match(chunked, /"body":"abcde"/);
      const none = await ask(server.port, { method: 'POST' });
      assert.equal(JSON.parse(none.body.toString()).body, '');
    }));

  test(`${name} [SOCK-17] a body beyond the bound is refused, and the answer arrives`, () =>
    withServer(create, { onRequest: echo }, async ({ server }) => {
      for (const bytes of [1_001, 100_000, 2_000_000]) {
        const got = await ask(server.port, { method: 'POST', body: Buffer.alloc(bytes) });
        assert.equal(got.status, 413);
        assert.deepEqual(JSON.parse(got.body.toString()), {
          code: 'body_too_large',
          message: 'The body is longer than the 1000 bytes this path takes.',
        });
      }
      const lying = await ask(server.port, {
        method: 'POST',
        headers: { 'transfer-encoding': 'chunked' },
        body: Buffer.alloc(5_000),
      });
      assert.equal(lying.status, 413);
    }));

  test(`${name} [SOCK-17] a body read late is whole`, () =>
    withServer(
      create,
      {
        onRequest: async (request) => {
          for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
          return { status: 200, headers: {}, body: await request.body(10_000_000) };
        },
      },
      async ({ server }) => {
        const body = Buffer.alloc(3_000_000);
        for (let i = 0; i < body.length; i++) body[i] = i % 251;
        const got = await ask(server.port, { method: 'POST', body });
        assert.ok(got.body.equals(body));
      },
    ));

  test(`${name} [SOCK-18] a request cut off by the client rejects body, and nothing throws`, () => {
    const seen: unknown[] = [];
    return withServer(
      create,
      {
        onRequest: async (request) => {
          await request.body(1_000).catch((error: unknown) => seen.push(error));
          return { status: 200, headers: {}, body: 'too late' };
        },
      },
      async ({ server, faults }) => {
        const tcp = connect(server.port, '127.0.0.1');
        tcp.on('error', () => {});
        tcp.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
        await once(tcp, 'connect');
        assert.equal((await ask(server.port, {})).status, 200);
        tcp.destroy();
        while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
        assert.ok(seen[0] instanceof ClientError);
        assert.deepEqual(faults, []);
        assert.equal((await ask(server.port, {})).status, 200);
      },
    );
  });
}

function connectionLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-21] connections are kept alive, also after a body that nobody read`, () =>
    withServer(create, {}, async ({ server }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let connections = 0;
      agent.on('free', (tcp: { counted?: boolean }) => {
        if (tcp.counted !== true) connections += 1;
        tcp.counted = true;
      });
      for (let i = 0; i < 5; i++) {
        const got = await ask(server.port, { method: 'POST', body: Buffer.alloc(i * 10_000), agent });
        assert.equal(got.body.toString(), 'ok');
      }
      assert.equal(connections, 1);
      agent.destroy();
    }));

  test(`${name} [SOCK-21] a connection that asks nothing, or nothing whole, is closed`, () =>
    withServer(create, {}, async ({ server }) => {
      const whole = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
      const part = 'GET / HTTP/1.1\r\nHost';
      const began = performance.now();
      const got = await Promise.all([
        raw(server.port, ''),
        raw(server.port, whole),
        raw(server.port, part),
        raw(server.port, part, 1, whole),
      ]);
      assert.ok(performance.now() - began < 20_000);
      assert.doesNotMatch(got[0]! + got[2]!, /200 OK/);
      for (const answer of [got[1]!, got[3]!]) assert.equal(answer.split('200 OK').length, 2);
    }));

  test(`${name} [SOCK-21] bytes and cache headers pass as they are; 204 and 304 have no body`, () => {
    const bytes = Buffer.from([0, 255, 1, 254]);
    return withServer(
      create,
      {
        onRequest: async ({ path }) =>
          path === '/bytes'
            ? { status: 200, headers: { etag: '"a"', 'cache-control': 'max-age=60' }, body: bytes }
            : { status: path === '/304' ? 304 : 204, headers: { etag: '"a"' }, body: '' },
      },
      async ({ server }) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const got = await ask(server.port, { path: '/bytes', agent });
        assert.ok(got.body.equals(bytes));
        assert.equal(got.headers.etag, '"a"');
        assert.equal(got.headers['cache-control'], 'max-age=60');
        assert.equal((await ask(server.port, { path: '/204', agent })).status, 204);
        assert.equal((await ask(server.port, { path: '/304', agent })).status, 304);
        assert.equal((await ask(server.port, { path: '/bytes', agent })).status, 200);
        agent.destroy();
      },
    );
  });
}

function endingLaws(name: string, create: SocketsFactory): void {
  test(`${name} [SOCK-31] what is ended is closed, whether or not the client closes its side`, () =>
    withServer(
      create,
      { onUpgrade: () => ({ accept: false, status: 403, headers: {}, body: 'not you' }) },
      async ({ server, faults }) => {
        const upgrade = (path: string) =>
          `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`;
        const otherUpgrade =
          'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n' +
          'Content-Length: 200000\r\n\r\n';
        const [, noHttp, refused, stillSending] = await Promise.all([
          halfOpen(server.port, ''),
          halfOpen(server.port, '\x16\x03\x01 this is not HTTP\r\n\r\n\r\n'),
          halfOpen(server.port, upgrade('/v1/socket')),
          halfOpen(server.port, otherUpgrade + 'y'.repeat(200_000)),
          halfOpen(server.port, upgrade('/elsewhere')),
          halfOpen(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
          halfOpen(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
          halfOpen(server.port, 'GET / HTTP/1.1\r\nHost'),
        ]);
        assert.doesNotMatch(noHttp, / 200 /);
        assert.match(refused, /^HTTP\/1\.1 403 .*not you$/s);
        assert.match(stillSending, /^HTTP\/1\.1 200 .*ok$/s);
        assert.deepEqual(faults, []);
      },
    ));
}
