import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { createOps, type ReadyState } from './ops.ts';
import { localHeader } from './sockets/proxy-header.bytes.ts';

test('alive, ready with the state of each dependency, metrics; nothing else', async () => {
  const registry = new Registry();
  new Counter({ name: 'things_total', help: 'Things.', registers: [registry] }).inc(3);
  const states: Record<string, ReadyState> = { bus: 'ready', ranker: 'reading the log' };
  const faults: unknown[] = [];
  const ops = await createOps({
    host: '127.0.0.1',
    port: 0,
    registry,
    dependencies: { bus: () => states['bus']!, ranker: () => states['ranker']! },
    onFault: (error) => faults.push(error),
  });
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${ops.port}${path}`, { method });
  try {
    assert.equal((await get('/healthz')).status, 200);
    const waiting = await get('/readyz');
    assert.equal(waiting.status, 503);
    assert.deepEqual(await waiting.json(), {
      ready: false,
      dependencies: { bus: 'ready', ranker: 'reading the log' },
    });
    states['ranker'] = 'ready';
    const ready = await get('/readyz');
    assert.equal(ready.status, 200);
    assert.equal(((await ready.json()) as { ready: boolean }).ready, true);
    ops.unready('draining');
    const draining = await get('/readyz');
    assert.equal(draining.status, 503);
    assert.match(await draining.text(), /"edge":"draining"/);
    assert.equal((await get('/healthz')).status, 200);
    const metrics = await get('/metrics');
    assert.match(metrics.headers.get('content-type') ?? '', /text\/plain/);
    const text = await metrics.text();
    assert.match(text, /^things_total 3$/m);
    assert.match(text, /^rankcast_ready 0$/m);
    assert.match(text, /^rankcast_part_ready\{part="ranker"\} 1$/m);
    assert.match(text, /^rankcast_part_ready\{part="edge"\} 0$/m);
    assert.equal((await get('/metrics', 'POST')).status, 405);
    assert.equal((await get('/v1/socket')).status, 404);
    await assert.rejects(
      createOps({
        host: '127.0.0.1',
        port: ops.port,
        registry: new Registry(),
        dependencies: {},
        onFault: () => {},
      }),
      /Cannot listen on 127\.0\.0\.1:\d+: the port is taken\./,
    );
    // a load balancer's health check carries the PROXY protocol's header
    const check = connect(ops.port, '127.0.0.1');
    check.end(Buffer.concat([localHeader, Buffer.from('GET /healthz HTTP/1.0\r\n\r\n')]));
    assert.match((await check.toArray()).join(''), /^HTTP\/1\.1 200 /);
    assert.deepEqual(faults, []);
  } finally {
    await ops.close();
    await ops.close();
  }
});

test('what is not needed is shown and does not make the process unready', async () => {
  let kafka: ReadyState = 'kafka refuses connections';
  let redis: ReadyState = 'ready';
  const ops = await createOps({
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    dependencies: {
      redis: { state: () => redis, needed: true },
      kafka: { state: () => kafka, needed: false },
    },
    onFault: assert.fail,
  });
  const readiness = async () => {
    const answer = await fetch(`http://127.0.0.1:${ops.port}/readyz`);
    return { status: answer.status, body: await answer.json() };
  };
  try {
    assert.deepEqual(await readiness(), {
      status: 200,
      body: { ready: true, dependencies: { redis: 'ready', kafka: 'kafka refuses connections' } },
    });
    redis = 'the connection was closed';
    kafka = 'ready';
    assert.deepEqual(await readiness(), {
      status: 503,
      body: { ready: false, dependencies: { redis: 'the connection was closed', kafka: 'ready' } },
    });
    assert.equal((await fetch(`http://127.0.0.1:${ops.port}/healthz`)).status, 200);
  } finally {
    await ops.close();
  }
});
