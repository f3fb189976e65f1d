import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { WebSocket } from 'ws';
import { createEmbeddedBus } from '../channels/bus/bus.embedded.ts';
import { systemClock as clock } from '../channels/clock.ts';
import { createEmbeddedLookup } from '../channels/lookup/lookup.embedded.ts';
import { createEmbeddedPages } from '../channels/pages/pages.embedded.ts';
import { createEmbeddedRankedSets } from '../channels/sets/ranked-sets.embedded.ts';
import { openEmbeddedStore } from '../channels/store/store.embedded.ts';
import type { ServerFrame } from '../proto/frames.ts';
import { createEmbeddedArchive } from '../workers/archive/archive.embedded.ts';
import { createEmbeddedLog } from '../workers/log/log.embedded.ts';
import { logTopics } from '../workers/log/topics.ts';
import { createIngest, ingestDefaults } from '../workers/source/ingest.ts';
import { createEdge, type Edge, type EdgeOptions, edgeDefaults } from './edge.ts';
import { uwsLoads } from './sockets/open-sockets.ts';
import { nlbTlvs, proxied } from './sockets/proxy-header.bytes.ts';
import { mintToken } from './verifier/mint-token.ts';
import { createVerifier } from './verifier/verifier.jose.ts';
import { verifierDefaults } from './verifier/verifier-options.ts';

const secret = 'the secret of the edge tests, long enough';
const apiKey = 'the-key-of-back-ends-in-the-edge-tests';

type Start = (changes?: Partial<EdgeOptions>) => Promise<Edge>;

/** Edges on embedded engines, all on one bus. */
async function withEdges(body: (start: Start) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-edge-'));
  const store = openEmbeddedStore(folder);
  const faults: unknown[] = [];
  const onError = (error: unknown): void => {
    faults.push(error);
  };
  const logger = pino({ level: 'silent' });
  const bus = createEmbeddedBus({ store, clock, newEpoch: randomUUID, onError });
  const lookup = createEmbeddedLookup({ store, clock, onError });
  const sets = createEmbeddedRankedSets({ store });
  const pages = createEmbeddedPages({ store, clock, onError });
  const archive = createEmbeddedArchive({ store });
  const log = createEmbeddedLog({ store, clock, topics: logTopics, onError });
  const ingest = createIngest({ log, clock, options: ingestDefaults, logger, registry: new Registry() });
  const verifier = createVerifier({ options: { ...verifierDefaults, tokenSecret: secret }, clock, logger });
  const edges: Edge[] = [];
  const start: Start = async (changes = {}) => {
    const edge = await createEdge({
      ...{ bus, lookup, sets, pages, archive, ingest, verifier, clock, logger },
      registry: new Registry(),
      options: {
        ...edgeDefaults,
        host: '127.0.0.1',
        port: 0,
        opsPort: 0,
        apiKeys: [apiKey],
        drainWindowMs: 50,
        ...changes,
      },
      edge: `edge-${edges.length}`,
      random: Math.random,
      newId: randomUUID,
    });
    edges.push(edge);
    return edge;
  };
  try {
    await body(start);
    assert.deepEqual(faults, []);
  } finally {
    for (const edge of edges) await edge.close();
    for (const engine of [bus, lookup, sets, pages, archive, log, store]) await engine.close();
    await rm(folder, { recursive: true });
  }
}

/** A client in JSON, with a queue of what it heard. */
async function dial(edge: Edge, user: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/v1/socket`, 'rankcast.json');
  const frames: ServerFrame[] = [];
  let wake = (): void => {};
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as ServerFrame);
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await once(socket, 'open');
  const say = (frame: unknown): void => socket.send(JSON.stringify(frame));
  async function hear<T extends ServerFrame['t']>(t: T): Promise<Extract<ServerFrame, { t: T }>> {
    for (;;) {
      const at = frames.findIndex((frame) => frame.t === t);
      if (at >= 0) return frames.splice(at, 1)[0] as Extract<ServerFrame, { t: T }>;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  say({ t: 'connect', token: await mintToken({ secret, user, ttlMs: 60_000 }) });
  assert.equal((await hear('connected')).user, user);
  return { say, hear, closed };
}

async function tell(edge: Edge, path: string, body = ''): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}` };
  return fetch(`http://127.0.0.1:${edge.port}${path}`, { method: 'POST', headers, body });
}

for (const sockets of (await uwsLoads()) ? (['uws', 'ws'] as const) : (['ws'] as const)) {
  test(`${sockets}: a message reaches the sockets of a user on every edge; a disconnect ends them`, () =>
    withEdges(async (start) => {
      const one = await start({ sockets });
      const two = await start({ sockets });
      assert.equal(one.adapter, sockets);
      const clients = [await dial(one, 'u1'), await dial(two, 'u1')];
      const other = await dial(two, 'u2');
      for (const client of clients) {
        client.say({ t: 'subscribe', id: 1, channel: 'user:u1' });
        await client.hear('subscribed');
      }
      const message = { channel: 'user:u1', id: 'n1', data: { type: 'gift' } };
      const published = await tell(one, '/v1/publish', JSON.stringify(message));
      assert.equal(published.status, 200);
      for (const client of clients) {
        const { id, position, data } = await client.hear('message');
        assert.deepEqual({ id, position, data }, { id: 'n1', position: 1, data: { type: 'gift' } });
      }
      const headers = { authorization: `Bearer ${apiKey}` };
      const info = await fetch(`http://127.0.0.1:${two.port}/v1/channels/user%3Au1`, { headers });
      const { subscribers, position, edges, silentEdges } = (await info.json()) as Record<string, unknown>;
      assert.deepEqual(
        { subscribers, position, edges, silentEdges },
        { subscribers: 2, position: 1, edges: 2, silentEdges: 0 },
      );
      assert.equal((await tell(one, '/v1/users/u1/disconnect')).status, 204);
      assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), [4504, 4504]);
      other.say({ t: 'ping', id: 7 });
      await other.hear('pong');
    }));

  test(`${sockets}: [PR-41] draining: unready, serving on, sockets moved and closed, port free`, () =>
    withEdges(async (start) => {
      const edge = await start({ sockets, deregistrationDelayMs: 50 });
      const ready = () => fetch(`http://127.0.0.1:${edge.opsPort}/readyz`).then(({ status }) => status);
      assert.equal(await ready(), 200);
      const client = await dial(edge, 'u1');
      const drained = edge.drain();
      assert.equal(await ready(), 503);
      const late = await dial(edge, 'u2');
      assert.equal((await client.hear('move')).withinMs <= 50, true);
      client.say({ t: 'ping', id: 1 });
      await client.hear('pong');
      assert.equal(await client.closed, 4000);
      assert.equal(await late.closed, 4000);
      await drained;
      await assert.rejects(fetch(`http://127.0.0.1:${edge.port}/openapi.json`));
      await assert.rejects(ready());
      const again = await start({ sockets, port: edge.port });
      assert.equal(again.port, edge.port);
    }));

  test(`${sockets}: a taken port is a sentence, and nothing is left open`, () =>
    withEdges(async (start) => {
      const edge = await start({ sockets });
      await assert.rejects(start({ sockets, port: edge.port }), /Cannot listen on .*: the port is taken\./);
      await assert.rejects(
        start({ sockets, opsPort: edge.opsPort }),
        /Cannot listen on .*: the port is taken\./,
      );
      assert.equal((await fetch(`http://127.0.0.1:${edge.port}/openapi.json`)).status, 200);
    }));
}

for (const sockets of (await uwsLoads()) ? (['auto', 'uws', 'ws'] as const) : (['auto', 'ws'] as const)) {
  test(`${sockets}: behind a load balancer, limits count the client's address`, () =>
    withEdges(async (start) => {
      const edge = await start({ sockets, proxyProtocolFrom: ['127.0.0.0/8'], upgradesPerAddress: 2 });
      assert.equal(edge.adapter, sockets === 'uws' ? 'uws' : 'ws');
      const upgrade = async (client: string): Promise<number> => {
        const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/v1/socket`, 'rankcast.json', {
          createConnection: () => {
            const tcp = connect(edge.port, '127.0.0.1');
            tcp.write(proxied(client, nlbTlvs()));
            return tcp;
          },
        });
        socket.on('error', () => {});
        const [, response] = (await Promise.race([
          once(socket, 'upgrade'),
          once(socket, 'unexpected-response'),
        ])) as [unknown, IncomingMessage];
        const status = (response ?? { statusCode: 101 }).statusCode ?? 0;
        socket.terminate();
        return status;
      };
      const statuses: number[] = [];
      for (let i = 0; i < 3; i++) statuses.push(await upgrade('203.0.113.9'));
      assert.deepEqual(statuses, [101, 101, 429]);
      assert.equal(await upgrade('203.0.113.10'), 101);
      assert.equal(await upgrade('2001:db8::1'), 101);
      const direct = new WebSocket(`ws://127.0.0.1:${edge.port}/v1/socket`, 'rankcast.json');
      await once(direct, 'error');
      const metrics = await (await fetch(`http://127.0.0.1:${edge.opsPort}/metrics`)).text();
      assert.match(metrics, /^rankcast_connections_refused_total 1$/m);
    }));
}

test('uWebSockets.js where its binary loads; metrics of sockets, upgrades and requests', () =>
  withEdges(async (start) => {
    const edge = await start();
    await dial(edge, 'u1');
    await fetch(`http://127.0.0.1:${edge.port}/nowhere`);
    const metrics = await (await fetch(`http://127.0.0.1:${edge.opsPort}/metrics`)).text();
    assert.match(metrics, /^rankcast_sockets\{state="open"\} 1$/m);
    assert.match(metrics, /^rankcast_upgrades_total\{outcome="accepted"\} 1$/m);
    assert.match(
      metrics,
      /^rankcast_http_request_seconds_count\{method="GET",route="none",status="404"\} 1$/m,
    );
  }));
