/**
 * What `docker compose up` would start, as plain processes: the Gremlin server with the mounted files, and
 * every process of ours with its command and environment, all at once. Only addresses, ports and folders are
 * others. @live timeout=240s
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FleetEdge, Member } from '../journeys/fleet.ts';
import { newKeys } from '../journeys/gateway-api.ts';
import { install } from '../services/install.ts';
import { javaCommand } from '../services/java.ts';
import { freePort } from '../services/ports.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { createServerProcess, type ServerNode } from '../services/server-process.ts';
import { sharedCassandra, sharedKafka } from '../services/shared.ts';
import { compose, environmentOf, graceMsOf, ours } from './compose.ts';
import { deployFolder } from './manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'rankcast-compose-'));
const keys = newKeys();
const members = new Map<string, Member>();
const edges: FleetEdge[] = [];
let redis: RedisServer;
let gremlin: ServerNode;

before(async () => {
  await install(['redis', 'gremlin']);
  redis = await startRedis({ appendonly: true });
  gremlin = await startMountedGremlin();
  const mark = `c${Date.now().toString(36)}`;
  const places: Record<string, string> = {
    RANKCAST_REDIS_URL: redis.url,
    RANKCAST_KAFKA_BROKERS: await sharedKafka(),
    RANKCAST_KAFKA_TOPIC_PREFIX: `${mark}-`,
    RANKCAST_GREMLIN_URL: `ws://${gremlin.address}/gremlin`,
    RANKCAST_CASSANDRA_CONTACT_POINTS: await sharedCassandra(),
    RANKCAST_CASSANDRA_KEYSPACE: mark,
  };
  const secrets = { RANKCAST_API_KEY: keys.apiKey, RANKCAST_TOKEN_SECRET: keys.tokenSecret };
  for (const [name, service] of ours) {
    const environment = environmentOf(service, secrets);
    const data = join(folder, name);
    const own = { ...environment, ...places, RANKCAST_DATA: data, RANKCAST_OPS_HOST: '127.0.0.1' };
    const member = new Member(name, service.command ?? [], own);
    members.set(name, member);
    if (service.command?.[0] === 'edge') edges.push(new FleetEdge(keys, member));
  }
  await Promise.all([...members.values()].map((member) => member.start()));
  await Promise.all([...members.values()].map((member) => member.ready()));
});
after(async () => {
  await Promise.all([...members.values()].map((member) => member.kill()));
  await gremlin?.kill();
  await redis?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** With the container's paths replaced by a folder here. */
async function startMountedGremlin(): Promise<ServerNode> {
  const port = await freePort();
  const own = join(folder, 'gremlin');
  cpSync(join(deployFolder, 'gremlin'), join(own, 'rankcast'), { recursive: true });
  mkdirSync(join(own, 'data'));
  for (const file of ['gremlin-server.yaml', 'graph.properties']) {
    const text = readFileSync(join(own, 'rankcast', file), 'utf8')
      .replaceAll('/rankcast/', `${own}/rankcast/`)
      .replaceAll('/opt/gremlin-server/data', `${own}/data`)
      .replace('host: 0.0.0.0', 'host: 127.0.0.1')
      .replace('port: 8182', `port: ${port}`);
    writeFileSync(join(own, 'rankcast', file), text);
  }
  const { JAVA_OPTIONS = '' } = compose.services['gremlin']?.environment ?? {};
  const node = createServerProcess({
    ...{ name: `gremlin ${port}`, port, folder: own, pollMs: 200, stopTimeoutMs: 20_000 },
    command: javaCommand({
      ...{ service: 'gremlin', folder: own, heapMiB: 384 },
      flags: JAVA_OPTIONS.split(' ').filter((flag) => !flag.startsWith('-Xmx')),
      main: 'org.apache.tinkerpop.gremlin.server.GremlinServer',
      words: [join(own, 'rankcast/gremlin-server.yaml')],
    }),
    // as the container's health check does
    answers: async () => {
      const { status } = await fetch(`http://127.0.0.1:${port}/gremlin?gremlin=1`);
      if (status !== 200) throw new Error(`answers ${status}`);
    },
  });
  await node.start();
  return node;
}

async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (const end = Date.now() + 20_000; ; ) {
    const answer = await ask().catch((error: unknown) => error as Error);
    if (!(answer instanceof Error) && holds(answer)) return answer;
    if (Date.now() > end) throw new Error(`not so within 20 s: ${JSON.stringify(answer)} ${String(answer)}`);
    await delay(50);
  }
}

test('what comes in at one edge is ranked and read at the other', async () => {
  const [one, other] = edges;
  assert.ok(one && other);
  const at = Date.now();
  const { taken } = await one.ingest('contest-events', [
    { type: 'contest', id: 'r1', at, contest: 'quiz', kind: 'scores' },
    {
      type: 'entries',
      id: 'r2',
      at,
      contest: 'quiz',
      entries: [{ entry: 'e1', user: 'ann', contests: ['quiz'] }],
    },
    { type: 'score', id: 'r3', at: at + 1, contest: 'quiz', entry: 'e1', score: 7 },
  ]);
  assert.equal(taken, 3);
  const board = await until(
    () => other.get<{ rows: unknown[][] }>('/v1/contests/quiz/leaderboard?page=0', 'ann'),
    ({ rows }) => rows[0]?.[2] === 7,
  );
  assert.deepEqual(board.rows, [[1, 'e1', 7]]);
});

test('a follow at one edge is in the lists of the other', async () => {
  const [one, other] = edges;
  const answer = await fetch(`${one?.url}/v1/users/ann/following/bob`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${one?.token('ann')}` },
  });
  assert.equal(answer.status, 202);
  await until(
    () => other!.get<{ total: number }>('/v1/users/bob/followers?offset=0&limit=10', 'bob'),
    ({ total }) => total === 1,
  );
});

test('asked to stop, each process ends with 0 within its grace period', async () => {
  for (const [name, service] of ours) {
    const member = members.get(name) ?? assert.fail(name);
    const startedAt = Date.now();
    assert.equal(await member.process.stop('SIGTERM'), 0, `${name}: ${member.process.log}`);
    assert.ok(Date.now() - startedAt < graceMsOf(service), name);
  }
});
