import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { faultType, isFinal, isIdentityFault, newCluster } from './wire.kafka.ts';

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };

test('what is relied on below the public face of kafkajs was looked at in this version', () => {
  assert.equal(version, '2.2.4');
});

test('a fault is known by its type, however often it is wrapped', () => {
  const inner = new kafkajs.KafkaJSProtocolError({
    type: 'PRODUCER_X',
    code: 1,
    retriable: false,
  } as never);
  const wrapped = new Error('tries are over', { cause: new Error('again', { cause: inner }) });
  assert.equal(faultType(wrapped), 'PRODUCER_X');
  assert.equal(faultType(new Error('nothing')), '');
  assert.equal(faultType('text'), '');
  assert.ok(isFinal(Object.assign(new Error(''), { type: 'TOPIC_AUTHORIZATION_FAILED' })));
  assert.ok(isFinal(Object.assign(new Error('no'), { name: 'KafkaJSSASLAuthenticationError' })));
  assert.ok(isIdentityFault(Object.assign(new Error(''), { type: 'INVALID_PRODUCER_EPOCH' })));
});

test('one socket, however many callers find the connection closed; none after the end', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    // Nothing is ever answered.
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const kafka = new kafkajs.Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  });
  const cluster = newCluster(kafka, 1_000);
  const pool = await cluster.connectionPoolBuilder.build();
  const [connection] = pool.pool;
  await Promise.all([connection!.connect(), connection!.connect(), connection!.connect()]);
  assert.equal(sockets.size, 1);
  assert.ok(connection!.isConnected());
  const closed = new Promise((resolve) => [...sockets][0]!.once('close', resolve));
  await cluster.disconnect();
  await closed;
  server.close();
});
