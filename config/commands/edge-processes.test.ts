import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { type Clock, systemClock } from '../../channels/clock.ts';
import { uwsLoads } from '../../edge/sockets/open-sockets.ts';
import { mintToken } from '../../edge/verifier/mint-token.ts';
import type { ServerFrame } from '../../proto/frames.ts';
import { edgeProcessProgram, edgeProcessSecret } from './edge-process.testbed.ts';
import { type EdgeProcesses, startEdgeProcesses } from './edge-processes.ts';

/** Pauses pass fifty times as fast. */
const hasty: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(ms / 50, callback) };
const adapters = (await uwsLoads()) ? (['uws', 'ws'] as const) : (['ws'] as const);

function start(args: readonly string[], port = 0, clock = systemClock): Promise<EdgeProcesses> {
  return startEdgeProcesses({
    options: { processes: 3, host: '127.0.0.1', port, opsHost: '127.0.0.1', opsPort: 0 },
    program: edgeProcessProgram,
    args,
    clock,
    logger: pino({ level: 'silent' }),
  });
}

/** A socket, and which process it came to. */
async function dial(port: number, user: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, 'rankcast.json');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  await Promise.race([once(socket, 'open'), closed]);
  const token = await mintToken({ secret: edgeProcessSecret, user, ttlMs: 60_000 });
  socket.send(JSON.stringify({ t: 'connect', token }));
  const cut = closed.then(() => Promise.reject(new Error('cut')));
  const [data] = (await Promise.race([once(socket, 'message'), cut])) as [Buffer];
  const frame = JSON.parse(String(data)) as ServerFrame;
  assert.equal(frame.t, 'connected');
  const pid = Number(frame.t === 'connected' ? frame.session.split('-')[1] : 0);
  return { socket, closed, pid };
}

/** Sockets on every process. */
async function dialAll(port: number, processes: number) {
  const dialled: Awaited<ReturnType<typeof dial>>[] = [];
  for (let i = 0; new Set(dialled.map(({ pid }) => pid)).size < processes; i++) {
    assert.ok(i < 300, 'every process gets some of the sockets');
    dialled.push(await dial(port, `u${i}`));
  }
  return dialled;
}

async function ops(edge: EdgeProcesses, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${edge.opsPort}${path}`);
  return { status: answer.status, text: await answer.text() };
}
async function metric(edge: EdgeProcesses, line: RegExp): Promise<number> {
  const { text } = await ops(edge, '/metrics');
  return Number(line.exec(text)?.[1] ?? Number.NaN);
}
/** Until it holds; each look is a scrape. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}

for (const adapter of adapters) {
  test(`${adapter} [SOCK-23] processes share ports; a second start fails`, async () => {
    const edge = await start(['--sockets', adapter]);
    try {
      assert.equal(edge.adapter, adapter);
      const dialled = await dialAll(edge.port, 3);
      const ready = await ops(edge, '/readyz');
      assert.equal(ready.status, 200);
      assert.deepEqual(JSON.parse(ready.text), {
        ready: true,
        dependencies: { live: 'ready', processes: 'ready' },
      });
      assert.equal((await ops(edge, '/healthz')).status, 200);
      const { text } = await ops(edge, '/metrics');
      assert.match(text, new RegExp(`^rankcast_upgrades_total{outcome="accepted"} ${dialled.length}$`, 'm'));
      assert.match(text, new RegExp(`^rankcast_sockets{state="open"} ${dialled.length}$`, 'm'));
      assert.match(text, /^rankcast_edge_processes 3$/m);
      assert.match(text, /^rankcast_ready 1$/m);
      for (const type of ['upgrades_total counter', 'sockets gauge', 'http_request_seconds histogram']) {
        assert.equal(text.split(`# TYPE rankcast_${type}`).length, 2, type);
      }
      await assert.rejects(
        start(['--sockets', adapter], edge.port),
        /Cannot listen on .*: the port is taken\./,
      );
    } finally {
      edge.end();
      assert.equal(await edge.ended, 0);
    }
  });

  test(`${adapter}: one that dies is started again, its counts stay, the others' sockets too`, async () => {
    const edge = await start(['--sockets', adapter]);
    try {
      const dialled = await dialAll(edge.port, 3);
      const accepted = /^rankcast_upgrades_total{outcome="accepted"} (\d+)$/m;
      assert.equal(await metric(edge, accepted), dialled.length);
      const dead = dialled[0]!.pid;
      process.kill(dead, 'SIGKILL');
      for (const { pid, closed } of dialled) if (pid === dead) assert.equal(await closed, 1006);
      await until(async () => (await metric(edge, /^rankcast_edge_process_restarts_total (\d+)$/m)) === 1);
      await until(async () => (await ops(edge, '/readyz')).status === 200);
      assert.equal(await metric(edge, accepted), dialled.length);
      for (const { pid, socket } of dialled) {
        if (pid !== dead) assert.equal(socket.readyState, WebSocket.OPEN);
      }
      const pids = (await dialAll(edge.port, 3)).map(({ pid }) => pid);
      assert.ok(!pids.includes(dead));
    } finally {
      edge.end();
      assert.equal(await edge.ended, 0);
    }
  });

  test(`${adapter}: an end drains all; then the port is free`, async () => {
    const edge = await start(['--sockets', adapter]);
    const dialled = await dialAll(edge.port, 3);
    edge.end();
    edge.end();
    const draining = await ops(edge, '/readyz').catch(() => null);
    if (draining !== null) assert.equal(draining.status, 503);
    assert.deepEqual(new Set(await Promise.all(dialled.map(({ closed }) => closed))), new Set([4000]));
    assert.equal(await edge.ended, 0);
    const again = await start(['--sockets', adapter], edge.port);
    again.end();
    assert.equal(await again.ended, 0);
  });

  test(`${adapter}: when the supervisor is killed, its processes drain and end`, async () => {
    const supervisor = spawn(process.execPath, [edgeProcessProgram, 'supervise', '--sockets', adapter]);
    const [port] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const dialled = await dialAll(Number(port), 2);
    supervisor.kill('SIGKILL');
    assert.deepEqual(new Set(await Promise.all(dialled.map(({ closed }) => closed))), new Set([4000]));
    await until(async () => dialled.every(({ pid }) => !alive(pid)));
  });
}

test('processes that do not start end the start with their exit code; nothing stays', async () => {
  await assert.rejects(start(['--fail', '--sockets', 'ws']), (error: { exitCode?: number }) => {
    assert.equal(error.exitCode, 7);
    return true;
  });
});

test('while one cannot start without its servers the others go on, and it comes back with them', async () => {
  const away = join(mkdtempSync(join(tmpdir(), 'rankcast-away-')), 'away');
  const edge = await start(['--sockets', 'ws', '--away', away], 0, hasty);
  try {
    const dialled = await dialAll(edge.port, 3);
    writeFileSync(away, '');
    const dead = dialled[0]!.pid;
    process.kill(dead, 'SIGKILL');
    const restarts = /^rankcast_edge_process_restarts_total (\d+)$/m;
    await until(async () => (await metric(edge, restarts)) > 12);
    for (const { pid, socket } of dialled) {
      if (pid !== dead) assert.equal(socket.readyState, WebSocket.OPEN);
    }
    rmSync(dirname(away), { recursive: true });
    await until(async () => (await ops(edge, '/readyz')).status === 200);
  } finally {
    edge.end();
    assert.equal(await edge.ended, 0);
  }
});

test('processes that die again and again end the edge', async () => {
  const edge = await start(['--sockets', 'ws'], 0, hasty);
  let ended = false;
  void edge.ended.then(() => {
    ended = true;
  });
  while (!ended) {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
    await pause(20);
  }
  assert.equal(await edge.ended, 1);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
