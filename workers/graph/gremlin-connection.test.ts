import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { openGremlinConnection } from './gremlin-connection.ts';

const setup = {
  source: 'g',
  tls: undefined,
  user: undefined,
  password: undefined,
  headers: async () => ({}),
  pingIntervalMs: 60_000,
  onOver: () => undefined,
};

test('a request that is given up on is taken off the wire: the connection is reset, not ended', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const reset = new Promise((resolve) => {
    server.on('connection', (_, { socket }) => socket.once('error', resolve));
  });
  const opening = openGremlinConnection({
    ...setup,
    url: `ws://127.0.0.1:${port}/gremlin`,
    connectTimeoutMs: 600,
  });
  await assert.rejects(opening, { message: 'it timed out' });
  assert.equal(((await reset) as NodeJS.ErrnoException).code, 'ECONNRESET');
  server.close();
});

test('a server that takes the connection and says nothing is given up in the time to connect', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const startedAt = performance.now();
  const url = `ws://127.0.0.1:${port}/gremlin`;
  await assert.rejects(openGremlinConnection({ ...setup, url, connectTimeoutMs: 600 }), /timed out/);
  assert.ok(performance.now() - startedAt < 2_000);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('nobody there rejects with what the system says', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const url = `ws://127.0.0.1:${port}/gremlin`;
  await assert.rejects(openGremlinConnection({ ...setup, url, connectTimeoutMs: 600 }), {
    code: 'ECONNREFUSED',
  });
});
