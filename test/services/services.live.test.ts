/** The kit itself: one server's life, and what is left when its parent dies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { freePort, host, isListening } from './ports.ts';
import { startRedis } from './redis.ts';
import { redisCall } from './redis-node.ts';
import { sharedRedis } from './shared.ts';
import { until } from './until.ts';

test('a killed server comes back on its port with what it acknowledged', async () => {
  const redis = await startRedis({ appendonly: true });
  assert.equal(await redis.call('SET', 'a', 'before'), 'OK');
  const { pid } = redis;
  await redis.kill();
  assert.equal(redis.pid, undefined);
  await assert.rejects(redis.call('PING'));
  await redis.start();
  assert.notEqual(redis.pid, pid);
  assert.equal(await redis.call('GET', 'a'), 'before');
  await assert.rejects(redis.start(), /runs already/);
  await redis.stop();
  await redis.stop();
  assert.equal(await isListening(redis.port), false);
});

test('a paused server answers nothing until it is resumed, and can be stopped while paused', async () => {
  const redis = await startRedis();
  redis.pause();
  await assert.rejects(redis.call('PING'));
  assert.equal(await isListening(redis.port), true);
  redis.resume();
  assert.equal(await redis.call('PING'), 'PONG');
  redis.pause();
  await redis.stop();
  assert.equal(redis.pid, undefined);
});

test('a server that cannot start says so with the end of its log', async () => {
  await assert.rejects(
    startRedis({ config: ['no-such-setting 1'] }),
    /ended \(code 1\)[\s\S]*no-such-setting/,
  );
});

test('a chosen port that another holds is named, and the other is not taken for ours', async () => {
  const port = await freePort();
  const other = createServer((socket) => socket.on('data', () => socket.end('+OK\r\n')));
  await new Promise<void>((resolve) => other.listen(port, host, () => resolve()));
  try {
    await assert.rejects(startRedis({ port }), new RegExp(`port ${port} is taken by another process`));
  } finally {
    other.close();
  }
});

test('a user and a password of any characters', async () => {
  const password = ' p"a\\ss\' w0rd#> ';
  const plain = await startRedis({ password });
  assert.equal(await plain.call('PING'), 'PONG');
  await plain.stop();
  const named = await startRedis({ user: 'alice', password });
  assert.equal(await named.call('ACL', 'WHOAMI'), 'alice');
  await named.stop();
});

test('the shared server is one, however often it is asked for', async () => {
  const [one, same] = await Promise.all([sharedRedis(), sharedRedis()]);
  assert.equal(one, same);
  const { hostname, port } = new URL(one);
  assert.equal(await redisCall({ host: hostname, port: Number(port) }, 'PING'), 'PONG');
});

for (const how of ['SIGKILL', 'SIGTERM', 'an exit'] as const) {
  test(`servers and their data end with the process that started them: ${how}`, async () => {
    const child = await startParent();
    assert.equal(await isListening(child.port), true);
    if (how === 'an exit') child.process.stdin.write('exit\n');
    else child.process.kill(how);
    await once(child.process, 'exit');
    await until('the orphans are gone', async () => child.pids.every(isGone), { timeoutMs: 10_000 });
    await until('their folders are gone', async () => !child.folders.some((folder) => existsSync(folder)));
  });
}

/** A process of its own with two servers, one of them paused. */
async function startParent() {
  const script = `
    import { startRedis } from ${JSON.stringify(new URL('./redis.js', import.meta.url).href)};
    const [one, two] = await Promise.all([startRedis(), startRedis({ appendonly: true })]);
    two.pause();
    console.log(JSON.stringify({
      port: one.port, pids: [one.pid, two.pid], folders: [one.folder, two.folder],
    }));
    process.stdin.on('data', () => process.exit(0));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const told = JSON.parse(line) as { port: number; pids: number[]; folders: string[] };
  return { process: child, ...told };
}

/** No process of that number runs; one that nobody has waited for yet does not run either. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
