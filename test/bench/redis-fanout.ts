import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { cpuMsOf } from './process-usage.ts';

/** µs of Redis's processor time for one message delivered to one subscriber; null without redis-server. */
export async function redisFanout(
  bytes: number,
  subscribers: number,
  messages: number,
): Promise<number | null> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  const child = spawn(
    process.env['REDIS_SERVER'] ?? 'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  );
  const failed = await Promise.race([
    once(child, 'error').then(() => true),
    once(child, 'spawn').then(() => false),
  ]);
  if (failed) return null;
  const sockets: Socket[] = [];
  try {
    const publisher = await connected(port);
    sockets.push(publisher);
    publisher.resume();
    const wanted = messages * bytes;
    const heard: Promise<void>[] = [];
    for (let i = 0; i < subscribers; i += 1) {
      const socket = await connected(port);
      sockets.push(socket);
      socket.write('SUBSCRIBE c\r\n');
      await once(socket, 'data');
      heard.push(received(socket, wanted));
    }
    const message = Buffer.concat([
      Buffer.from(`*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$${bytes}\r\n`),
      Buffer.alloc(bytes, 97),
      Buffer.from('\r\n'),
    ]);
    const before = cpuMsOf(child.pid!);
    for (let i = 0; i < messages; i += 1) {
      publisher.write(message);
      // a frame at a time, as ticks come: nothing is gained by batches that will not be there
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(heard);
    return ((cpuMsOf(child.pid!) - before) * 1_000) / (messages * subscribers);
  } finally {
    for (const socket of sockets) socket.destroy();
    child.kill();
    await once(child, 'exit');
  }
}

function received(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    socket.on('data', (part) => {
      left -= part.byteLength;
      if (left <= 0) resolve();
    });
  });
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
