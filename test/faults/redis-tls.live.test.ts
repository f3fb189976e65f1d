import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createRedisBus } from '../../channels/bus/bus.redis.ts';
import { systemClock } from '../../channels/clock.ts';
import { createDependency } from '../../channels/dependency/dependency.ts';
import { createRedisLookup } from '../../channels/lookup/lookup.redis.ts';
import { connectRedis, type RedisOptions, redisDefaults } from '../../channels/redis/connect-redis.ts';
import { createAuthority } from '../services/certificates.ts';
import { type RedisStartOptions, startRedis } from '../services/redis.ts';

/** Redis over TLS, with users and passwords, and with client certificates. */
const authority = createAuthority();
const { caFile } = authority;
const stranger = createAuthority('Another authority');
const login = { user: 'rankcast', password: 'pass-word-1' };
const lines: string[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
const stateTimeoutMs = 10_000;

function open(options: Partial<RedisOptions>) {
  const registry = new Registry();
  const parts = { name: 'redis', clock: systemClock, registry, logger };
  const dependency = createDependency({ ...parts, options: { triesMax: 1, callTimeoutMs: 3_000 } });
  const connection = connectRedis({
    options: { ...redisDefaults, ...options },
    clock: systemClock,
    random: Math.random,
    onConnected: dependency.connected,
    onLost: dependency.lost,
  });
  const { redis } = connection;
  const onError = (error: unknown) => logger.error({ err: error }, 'in the background');
  const bus = createRedisBus({ redis, clock: systemClock, logger, registry, dependency, onError });
  return { bus, lookup: createRedisLookup({ redis, dependency }), connection, dependency };
}

async function works(options: Partial<RedisOptions>): Promise<void> {
  const { bus, lookup, connection, dependency } = open(options);
  await lookup.put('tls', 1, Buffer.from('over TLS'), 0);
  assert.equal(String((await lookup.get(['tls']))[0]), 'over TLS');
  let hear = (_text: string): void => undefined;
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  await bus.subscribe('topic', (bytes) => hear(String(Buffer.from(bytes))));
  await bus.publish('topic', Buffer.from('heard'));
  assert.equal(await heard, 'heard');
  assert.equal(dependency.state(), 'ready');
  await bus.close();
  await connection.close();
}

async function isRefused(options: Partial<RedisOptions>, sentence: RegExp): Promise<void> {
  const { bus, lookup, connection, dependency } = open(options);
  await assert.rejects(lookup.get(['tls']), { name: 'ServiceError' });
  const until = Date.now() + stateTimeoutMs;
  while (!sentence.test(dependency.state()) && Date.now() < until) await delay(20);
  assert.match(dependency.state(), sentence);
  await bus.close();
  await connection.close();
}

async function withRedis(options: RedisStartOptions, body: (url: string) => Promise<void>): Promise<void> {
  const server = await startRedis(options);
  try {
    await body(server.url);
  } finally {
    await server.stop();
  }
}

const untrusted = /^redis: its certificate is signed by a CA that is not trusted here\.$/;
const unknown = /^redis: it does not take the user name and password given\.$/;

test('TLS with user and password: right ones work, wrong ones and a wrong CA are said in a sentence', () =>
  withRedis({ tls: { ...authority.server(), caFile }, ...login }, async (url) => {
    await works({ url, caFile, ...login });
    await isRefused({ url, ...login }, untrusted);
    await isRefused({ url, caFile: stranger.caFile, ...login }, untrusted);
    await isRefused({ url, caFile, user: login.user, password: 'wrong-word' }, unknown);
    await isRefused({ url, caFile, user: 'nobody', password: login.password }, unknown);
    await isRefused({ url, caFile }, unknown);
  }));

test('an expired certificate is said in a sentence', () =>
  withRedis({ tls: { ...authority.server({ expired: true }), caFile } }, (url) =>
    isRefused({ url, caFile }, /^redis: its certificate has expired\.$/),
  ));

test('a certificate for another name is said in a sentence, unless that name is what is expected', () =>
  withRedis({ tls: { ...authority.server({ hosts: ['redis.example.com'] }), caFile } }, async (url) => {
    await isRefused({ url, caFile }, /^redis: its certificate is for another name than the one dialled\.$/);
    await works({ url, caFile, serverName: 'redis.example.com' });
  }));

test('a server that asks for client certificates takes those of its CA only', () =>
  withRedis({ tls: { ...authority.server(), caFile, requireClientCert: true } }, async (url) => {
    await works({ url, caFile, ...authority.client('an edge') });
    const wants = /^redis: (it wants a client certificate that it trusts|it closed the connection)\.$/;
    await isRefused({ url, caFile }, wants);
    await isRefused({ url, caFile, ...stranger.client('stranger') }, wants);
  }));

test('no password was logged', () => {
  const logged = lines.join('');
  assert.match(logged, /connected/);
  assert.match(logged, /connection lost/);
  for (const secret of [login.password, 'wrong-word', 'BEGIN']) assert.ok(!logged.includes(secret), secret);
});
