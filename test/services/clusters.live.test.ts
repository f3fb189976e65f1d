/**
 * The kit's servers that are several processes: one is killed, the others take over.
 *
 * @live timeout=600s
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { startKafka } from './kafka.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { startRedisSentinel } from './redis-sentinel.ts';
import { until } from './until.ts';

test('Sentinels elect another master for a killed one, which comes back as a replica', async () => {
  const set = await startRedisSentinel({ replicas: 2, password: 'of "all" nodes' });
  const before = await set.master();
  assert.equal(before, set.nodes[0]);
  await before.call('SET', 'a', 'kept');
  assert.equal(await before.call('WAIT', 2, 2_000), 2);
  await before.kill();
  await until('there is another master', async () => (await set.master()) !== before);
  await set.untilSettled();
  const after = await set.master();
  assert.equal(await after.call('GET', 'a'), 'kept');
  await before.start();
  await set.untilSettled();
  assert.match(String(await before.call('INFO', 'replication')), /role:slave/);
  assert.equal(await set.master(), after);
  await set.stop();
});

for (const [masters, replicasEach] of [
  [3, 1],
  [10, 2],
] as const) {
  test(`a cluster of ${masters} masters with ${replicasEach} replicas each elects a new master`, async () => {
    const cluster = await startRedisCluster({ masters, replicasEach });
    assert.equal(cluster.nodes.length, masters * (1 + replicasEach));
    assert.deepEqual(new Set(await cluster.masters()), new Set(cluster.nodes.slice(0, masters)));
    const owner = await cluster.ownerOf('a');
    const replicas = await cluster.replicasOf(owner);
    assert.equal(replicas.length, replicasEach);
    await owner.call('SET', 'a', 'kept');
    assert.equal(await owner.call('WAIT', replicasEach, 2_000), replicasEach);
    await owner.kill();
    await cluster.untilSettled();
    const next = await cluster.ownerOf('a');
    assert.ok(replicas.includes(next));
    assert.equal(await next.call('GET', 'a'), 'kept');
    await owner.start();
    await cluster.untilSettled();
    assert.ok((await cluster.replicasOf(next)).includes(owner));
    await cluster.stop();
    await cluster.start();
    await cluster.stop();
  });
}

test('three Kafka brokers lose nothing acknowledged when the leader is killed, and go on', async () => {
  const server = await startKafka({ brokers: 3 });
  const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 50 };
  const kafka = new kafkajs.Kafka({ ...server.clientOptions, retry });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1, replicationFactor: 3 }] });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const acknowledged: string[] = [];
  const send = async (value: string) => {
    await producer.send({ topic: 't', acks: -1, messages: [{ value }] });
    acknowledged.push(value);
  };
  for (let n = 0; n < 20; n += 1) await send(`before ${n}`);
  const leader = await server.leaderOf('t', 0);
  await leader.kill();
  for (let n = 0; n < 20; n += 1) await send(`without it ${n}`);
  assert.notEqual(await server.leaderOf('t', 0), leader);
  await leader.start();
  for (let n = 0; n < 20; n += 1) await send(`after ${n}`);
  const got: string[] = [];
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumer.connect();
  await consumer.subscribe({ topic: 't', fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void got.push(String(message.value)) });
  await until('all that was acknowledged is read', async () => got.length >= acknowledged.length);
  assert.deepEqual(got, acknowledged);
  await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
  await server.stop();
});
