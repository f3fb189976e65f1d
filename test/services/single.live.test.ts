/**
 * The kit's single JVM servers: what each keeps when it is killed or stopped; TLS and users.
 *
 * @live timeout=600s
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import cassandra from 'cassandra-driver';
import kafkajs from 'kafkajs';
import { type CassandraServer, startCassandra } from './cassandra.ts';
import { createAuthority } from './certificates.ts';
import { type GremlinServer, startGremlin } from './gremlin.ts';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';
import { startRedisCluster } from './redis-cluster.ts';

test('a killed Cassandra keeps its schema and every row that it acknowledged', async () => {
  const server = await startCassandra();
  const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
  await ask(server, `CREATE KEYSPACE k WITH replication = ${replication}`);
  await ask(server, 'CREATE TABLE k.t (id int PRIMARY KEY)');
  for (let id = 0; id < 50; id += 1) await ask(server, `INSERT INTO k.t (id) VALUES (${id})`);
  await server.kill();
  await server.start();
  assert.equal((await ask(server, 'SELECT * FROM k.t')).rowLength, 50);
  await server.stop();
});

test('a stopped Gremlin Server keeps its graphs, with their string ids', async () => {
  const server = await startGremlin();
  await submit(server, "g.addV('user').property(T.id, '1002').iterate()");
  await submit(server, "gtx.addV('user').property(T.id, '1003').iterate(); gtx.tx().commit()");
  await server.stop();
  await server.start();
  assert.match(await submit(server, 'g.V().id().toList()'), /"1002"/);
  assert.match(await submit(server, 'gtx.V().id().toList()'), /"1003"/);
  await server.kill();
  await server.start();
  await server.stop();
});

test('each server over TLS with client certificates, and with a user and a password', async () => {
  const authority = createAuthority();
  const tls = { caFile: authority.caFile, ...authority.server(), requireClientCert: true };
  const auth = { user: 'alice', password: 'p"a\\ss\'w0rd' };
  const running = await Promise.all([
    startRedis({ tls, ...auth }),
    startRedisCluster({ tls, password: auth.password }),
    startKafka({ tls, sasl: auth }),
  ]);
  const kafka = running[2].clientOptions;
  const { caFile } = authority;
  await assert.rejects(listTopics({ ...kafka, ssl: { ca: caFile, rejectUnauthorized: false } }));
  await listTopics({ ...kafka, sasl: { mechanism: 'plain', username: auth.user, password: auth.password } });
  const wrong = { mechanism: 'scram-sha-512', username: auth.user, password: 'wrong' } as const;
  await assert.rejects(listTopics({ ...kafka, sasl: wrong }));
  await Promise.all(running.map((server) => server.stop()));
  const gremlin = await startGremlin({ tls, auth });
  assert.match(gremlin.url, /^wss:/);
  await gremlin.stop();
  const server = await startCassandra({ tls, auth });
  const { credentials: _, ...nobody } = server.clientOptions;
  await assert.rejects(askAs(nobody, 'SELECT * FROM system.local'));
  const first = { username: 'cassandra', password: 'cassandra' };
  await assert.rejects(askAs({ ...nobody, credentials: first }, 'SELECT * FROM system.local'));
  await server.stop();
});

function ask(server: CassandraServer, query: string) {
  return askAs(server.clientOptions, query);
}

async function askAs(options: cassandra.ClientOptions, query: string) {
  const client = new cassandra.Client(options);
  try {
    return await client.execute(query);
  } finally {
    await client.shutdown();
  }
}

async function listTopics(options: kafkajs.KafkaConfig): Promise<void> {
  const admin = new kafkajs.Kafka({ ...options, retry: { retries: 0 } }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** A script over HTTP; the answer as JSON. */
function submit(server: GremlinServer, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request(server.url.replace(/^ws/, 'http'), { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify({ gremlin: script }));
  });
}
