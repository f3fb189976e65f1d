import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createAuthority, type ServerTls } from '../../test/services/certificates.ts';
import { startRedis } from '../../test/services/redis.ts';
import { openRedis } from '../../test/services/redis-clients.ts';
import { startRedisCluster } from '../../test/services/redis-cluster.ts';
import { startRedisSentinel } from '../../test/services/redis-sentinel.ts';
import { createRedisLookup } from '../lookup/lookup.redis.ts';
import { type RedisOptions, redisDefaults } from './connect-redis.ts';

const toText = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;

/** What the dependency says once it has tried. */
async function stateOf(options: Partial<RedisOptions>): Promise<string> {
  const client = openRedis({ ...redisDefaults, ...options });
  try {
    for (let tries = 0; client.dependency.state() === 'connecting' && tries < 200; tries++) await delay(20);
    if (client.dependency.state() === 'ready') assert.equal(await client.redis.ping(), 'PONG');
    return client.dependency.state();
  } finally {
    await client.close();
  }
}

test('TLS, user and password; each that is wrong is named in a sentence, without a secret', async () => {
  const [ours, theirs] = [createAuthority(), createAuthority('Another')];
  const tls: ServerTls = { caFile: ours.caFile, ...ours.server(), requireClientCert: true };
  const [user, password] = ['gateway', 'secret-of-the-test'];
  const server = await startRedis({ tls, user, password });
  const { certFile, keyFile } = ours.client('gateway');
  const right = { url: server.url, user, password, caFile: ours.caFile, certFile, keyFile };
  assert.equal(await stateOf(right), 'ready');
  const plain = server.url.replace('rediss:', 'redis:');
  assert.equal(await stateOf({ ...right, url: plain }), 'ready');
  for (const [wrong, sentence] of [
    [{ password: 'another-secret' }, /user name and password/],
    [{ caFile: theirs.caFile }, /CA that is not trusted/],
    [{ serverName: 'elsewhere.example' }, /another name/],
  ] as const) {
    const said = await stateOf({ ...right, ...wrong });
    assert.match(said, sentence);
    assert.doesNotMatch(said, /secret/);
  }
  const bare = { url: server.url, user, password, caFile: ours.caFile };
  assert.notEqual(await stateOf(bare), 'ready', 'without a client certificate');
  await server.stop();
});

test('an expired certificate of the server is named', async () => {
  const ours = createAuthority();
  const server = await startRedis({ tls: { caFile: ours.caFile, ...ours.server({ expired: true }) } });
  assert.match(await stateOf({ url: server.url, caFile: ours.caFile }), /expired/);
  await server.stop();
});

test('a cluster over TLS with a password', async () => {
  const ours = createAuthority();
  const tls = { caFile: ours.caFile, ...ours.server() };
  const cluster = await startRedisCluster({ masters: 3, replicasEach: 0, tls, password: 'of-the-cluster' });
  const options = { cluster: cluster.addresses.map(toText), caFile: ours.caFile };
  assert.equal(await stateOf({ ...options, password: 'of-the-cluster' }), 'ready');
  assert.match(await stateOf({ ...options, password: 'wrong-secret' }), /user name and password/);
  await cluster.stop();
});

test('after a master was killed calls go to the new one, behind Sentinels and in a cluster', async () => {
  const sentinel = await startRedisSentinel();
  const cluster = await startRedisCluster({ masters: 3, replicasEach: 1 });
  for (const [options, master] of [
    [
      { sentinels: sentinel.sentinelAddresses.map(toText), sentinelMaster: sentinel.masterName },
      () => sentinel.master(),
    ],
    [{ cluster: cluster.addresses.map(toText) }, () => cluster.ownerOf('k')],
  ] as const) {
    const client = openRedis({ ...redisDefaults, ...options });
    const lookup = createRedisLookup(client);
    await lookup.put('k', 1, Buffer.from('one'), 0);
    await client.redis.call('WAIT', 1, 1_000).catch(() => undefined);
    await delay(200);
    await (await master()).kill();
    let answered = false;
    for (let tries = 0; !answered && tries < 300; tries++) {
      answered = await lookup.put('k', 2, Buffer.from('two'), 0).then(
        () => true,
        () => delay(50).then(() => false),
      );
    }
    assert.equal(Buffer.from((await lookup.get(['k']))[0]!).toString(), 'two');
    assert.equal(client.dependency.state(), 'ready');
    await client.close();
  }
  await sentinel.stop();
  await cluster.stop();
});

test('nothing asked of a server that is away waits for long, and closing never hangs', async () => {
  const server = await startRedis();
  const client = openRedis({ ...redisDefaults, url: server.url });
  const lookup = createRedisLookup(client);
  await lookup.put('k', 1, Buffer.from('one'), 0);
  await server.kill();
  await assert.rejects(lookup.get(['k']), /redis/);
  assert.match(client.dependency.state(), /nothing listens|closed/);
  await server.start();
  for (let tries = 0; client.dependency.state() !== 'ready' && tries < 200; tries++) await delay(20);
  assert.deepEqual(await lookup.get(['k']), [null]);
  await server.kill();
  await client.close();
});
