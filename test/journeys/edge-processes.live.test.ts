/**
 * Edges of several processes on real servers: two nodes with two processes each. What goes to a user reaches
 * every process, what is asked about a channel or told to all is answered and done by all.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { openRealServers, type RealServers } from '../services/real-servers.ts';
import { GatewayApi, newKeys } from './gateway-api.ts';
import { RankcastProcess } from './rankcast-process.ts';

const nodes = 2;
const processes = 2;
const folder = mkdtempSync(join(tmpdir(), 'rankcast-edges-'));
let servers: RealServers;
before(async () => {
  servers = await openRealServers();
});
after(async () => {
  await servers?.close();
  rmSync(folder, { recursive: true, force: true });
});

class Node extends GatewayApi {
  readonly process: RankcastProcess;
  port = 0;
  opsPort = 0;
  constructor(keys: ReturnType<typeof newKeys>) {
    super(keys);
    const { apiKey, tokenSecret } = keys;
    const secrets = { RANKCAST_API_KEY: apiKey, RANKCAST_TOKEN_SECRET: tokenSecret };
    this.process = new RankcastProcess({ ...servers.environment, ...secrets });
  }
  async start(sockets: string, name: string): Promise<void> {
    const ports = ['--host', '127.0.0.1', '--port', '0', '--ops-port', '0'];
    const own = ['--sockets', sockets, '--processes', String(processes), '--data', join(folder, name)];
    const told = await this.process.start(['edge', ...ports, ...own]);
    this.port = told.port ?? 0;
    this.opsPort = told.opsPort;
    assert.equal(told.adapter, sockets);
  }
}

interface Viewer {
  /** Unique to a process. */
  edge: string;
  socket: WebSocket;
  closed: Promise<number>;
  message: Promise<unknown>;
}

/** A socket of the user, subscribed to their notices. */
async function view(node: Node, user: string): Promise<Viewer> {
  const socket = new WebSocket(node.socketUrl, 'rankcast.json');
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.send(JSON.stringify({ t: 'connect', token: node.token(user) }));
  socket.send(JSON.stringify({ t: 'subscribe', id: 1, channel: `user:${user}` }));
  let edge = '';
  let told: (message: unknown) => void = () => {};
  const message = new Promise<unknown>((resolve) => {
    told = resolve;
  });
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.t === 'connected') edge = frame.session.slice(0, frame.session.lastIndexOf('-'));
      else if (frame.t === 'subscribed') resolve();
      else if (frame.t === 'message') told(frame.data);
    });
  });
  return { edge, socket, closed, message };
}

async function backEnd(node: Node, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${node.keys.apiKey}` };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(`${node.url}${path}`, { method, headers, ...content });
}

for (const sockets of ['uws', 'ws']) {
  test(`${sockets}: messages, channels and disconnects are those of all processes of all nodes`, async () => {
    const keys = newKeys();
    const all = Array.from({ length: nodes }, () => new Node(keys));
    const viewers: Viewer[] = [];
    const user = `u-${sockets}-${Date.now().toString(36)}`;
    try {
      await Promise.all(all.map((node, i) => node.start(sockets, `${sockets}-${i}`)));
      const [first, last] = [all[0]!, all[nodes - 1]!];
      while (new Set(viewers.map(({ edge }) => edge)).size < nodes * processes) {
        assert.ok(viewers.length < 90, 'every process gets some of the sockets');
        for (const node of all) viewers.push(await view(node, user));
      }
      const path = `/v1/channels/${encodeURIComponent(`user:${user}`)}`;
      const readChannel = async () =>
        (await (await backEnd(first, 'GET', path)).json()) as Record<string, unknown>;
      // Edges that started in the same moment may know each other a moment later.
      const until = Date.now() + 10_000;
      while ((await readChannel())['edges'] !== nodes * processes && Date.now() < until) await delay(100);
      const { subscribers, edges, silentEdges } = await readChannel();
      assert.deepEqual(
        { subscribers, edges, silentEdges },
        { subscribers: viewers.length, edges: nodes * processes, silentEdges: 0 },
      );
      const notice = { channel: `user:${user}`, id: 'n1', data: { gift: sockets } };
      assert.equal((await backEnd(last, 'POST', '/v1/publish', notice)).status, 200);
      for (const { message } of viewers) assert.deepEqual(await message, { gift: sockets });
      assert.equal((await readChannel())['position'], 1);
      const ready = await fetch(`http://127.0.0.1:${first.opsPort}/readyz`);
      assert.equal(ready.status, 200, await ready.text());
      assert.equal((await backEnd(first, 'POST', `/v1/users/${user}/disconnect`)).status, 204);
      assert.deepEqual(new Set(await Promise.all(viewers.map(({ closed }) => closed))), new Set([4504]));
      for (const node of all) assert.equal(await node.process.stop('SIGTERM'), 0, node.process.log);
    } finally {
      for (const { socket } of viewers) socket.terminate();
      await Promise.all(all.map((node) => node.process.stop('SIGKILL')));
    }
  });
}
