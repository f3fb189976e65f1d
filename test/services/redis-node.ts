/** One Redis process, which the single server, Sentinel's and the cluster's are made of. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { copyTls, type ServerTls } from './certificates.ts';
import { redisProgram } from './install.ts';
import { host } from './ports.ts';
import { createServerProcess, type ServerNode } from './server-process.ts';

/** What an ioredis client needs to connect as the kit does. */
export interface RedisClientOptions {
  host: string;
  port: number;
  username?: string;
  password?: string;
  tls?: ConnectionOptions;
}

export interface RedisNode extends ServerNode {
  readonly clientOptions: RedisClientOptions;
  /** One command over a connection of its own. */
  call(command: string, ...words: (string | number)[]): Promise<unknown>;
}

export interface RedisNodeOptions {
  name: string;
  port: number;
  folder: string;
  /** Lines of redis.conf. */
  config: readonly string[];
  mode?: 'sentinel' | undefined;
  user?: string | undefined;
  password?: string | undefined;
  tls?: ServerTls | undefined;
  /** A certificate of its own for the kit, where the server wants one. */
  clientTls?: { certFile: string; keyFile: string } | undefined;
}

const answerTimeoutMs = 3_000;

export function createRedisNode(options: RedisNodeOptions): RedisNode {
  const { name, port, folder, tls, mode } = options;
  mkdirSync(folder, { recursive: true });
  const lines = ['daemonize no', 'protected-mode no', 'save ""', `dir ${quoted(folder)}`, ...options.config];
  if (tls === undefined) lines.push(`port ${port}`);
  else lines.push('port 0', `tls-port ${port}`, ...tlsLines(tls, folder));
  const file = join(folder, 'redis.conf');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const clientOptions: RedisClientOptions = { host, port };
  if (options.user !== undefined) clientOptions.username = options.user;
  if (options.password !== undefined) clientOptions.password = options.password;
  if (tls !== undefined) {
    const own = options.clientTls ?? tls;
    clientOptions.tls = {
      ca: readFileSync(tls.caFile),
      cert: readFileSync(own.certFile),
      key: readFileSync(own.keyFile),
      // the kit's own questions must get through to a server whose certificate is bad on purpose
      rejectUnauthorized: false,
    };
  }
  const call = (command: string, ...words: (string | number)[]) =>
    redisCall(clientOptions, command, ...words);
  const node = createServerProcess({
    name,
    port,
    folder,
    command: [redisProgram(), file, ...(mode === 'sentinel' ? ['--sentinel'] : [])],
    answers: async () => void (await call('PING')),
    pollMs: 25,
    stopTimeoutMs: 5_000,
  });
  return Object.assign(node, { clientOptions, call });
}

export async function redisCall(
  clientOptions: RedisClientOptions,
  command: string,
  ...words: (string | number)[]
): Promise<unknown> {
  const client = new Redis({
    ...clientOptions,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: answerTimeoutMs,
    commandTimeout: answerTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command, ...words);
  } finally {
    client.disconnect();
  }
}

function tlsLines(tls: ServerTls, folder: string): string[] {
  const files = copyTls(tls, folder);
  return [
    `tls-cert-file ${quoted(files.cert)}`,
    `tls-key-file ${quoted(files.key)}`,
    `tls-ca-cert-file ${quoted(files.ca)}`,
    `tls-auth-clients ${tls.requireClientCert === true ? 'yes' : 'no'}`,
    'tls-replication yes',
    'tls-cluster yes',
  ];
}

/** A word of redis.conf that may hold any character. */
export function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}
