import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * A Redis of our own on a free port of loopback, and just enough of its protocol to write sorted sets as
 * fast as it takes them: ZADDs of a thousand members, pipelined. null where no redis-server is on the PATH.
 */
export interface RedisSets {
  /** Answers when Redis has done it, with the ms it took, and those of Redis's processor time. */
  zadd(
    key: string,
    members: readonly string[],
    scores: ArrayLike<number>,
  ): Promise<{ wall: number; cpu: number }>;
  stop(): Promise<void>;
}

const membersPerCommand = 1_000;

export async function startRedis(): Promise<RedisSets | null> {
  const port = await freePort();
  const child = spawn(
    process.env['REDIS_SERVER'] ?? 'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  );
  const failed = await Promise.race([
    once(child, 'error').then(() => true),
    once(child, 'spawn').then(() => false),
  ]);
  if (failed) return null;
  const socket = await connected(port);
  return {
    async zadd(key, members, scores) {
      const commands = encode(key, members, scores);
      const before = await cpuOf(socket);
      const start = performance.now();
      const replies = countReplies(socket, commands.length);
      for (const command of commands) socket.write(command);
      await replies;
      const wall = performance.now() - start;
      return { wall, cpu: (await cpuOf(socket)) - before };
    },
    async stop() {
      socket.destroy();
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
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

function encode(key: string, members: readonly string[], scores: ArrayLike<number>): Buffer[] {
  const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
  const commands: Buffer[] = [];
  for (let from = 0; from < members.length; from += membersPerCommand) {
    const to = Math.min(from + membersPerCommand, members.length);
    let command = `*${2 + 2 * (to - from)}\r\n${bulk('ZADD')}${bulk(key)}`;
    for (let i = from; i < to; i += 1) command += bulk(String(scores[i])) + bulk(members[i]!);
    commands.push(Buffer.from(command));
  }
  return commands;
}

/** Each ZADD is answered by one line. */
function countReplies(socket: Socket, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const listener = (chunk: Buffer): void => {
      if (chunk.includes('-ERR')) reject(new Error(chunk.toString()));
      for (const byte of chunk) if (byte === 10) left -= 1;
      if (left > 0) return;
      socket.off('data', listener);
      resolve();
    };
    socket.on('data', listener);
  });
}

/** Processor time that Redis has used so far, in ms. */
async function cpuOf(socket: Socket): Promise<number> {
  socket.write('INFO cpu\r\n');
  const [info] = (await once(socket, 'data')) as [Buffer];
  const used = (kind: string): number =>
    Number(new RegExp(`used_cpu_${kind}:([0-9.]+)`).exec(info.toString())?.[1]);
  return (used('user') + used('sys')) * 1_000;
}
