import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerTls } from './certificates.ts';
import { install } from './install.ts';
import { temporaryFolder } from './places.ts';
import { freePort, host } from './ports.ts';
import { createRedisNode, quoted, type RedisNode } from './redis-node.ts';
import { withFreshPorts } from './server-process.ts';

export interface RedisStartOptions {
  port?: number;
  /** Data from an earlier run; none: a temporary folder. */
  folder?: string;
  /** Of the default user, or of `user`. */
  password?: string;
  /** A user beside `default`, allowed everything unless `rules` say otherwise; `default` is switched off. */
  user?: string;
  /** ACL rules of `user`, as `~* &* +@read`. */
  rules?: string;
  /** A users file of the caller's; `user` and `password` are then only what the kit itself connects with. */
  aclFile?: string;
  tls?: ServerTls;
  /** Keeps what was acknowledged across `kill()`. */
  appendonly?: boolean;
  /** More lines of redis.conf, as `maxmemory 100mb`. */
  config?: readonly string[];
}

export interface RedisServer extends RedisNode {
  /** `redis://127.0.0.1:<port>` (`rediss:` with TLS), without user and password. */
  readonly url: string;
}

/** A single Redis, answering. Without `appendonly` a killed one comes back empty. */
export function startRedis(options: RedisStartOptions = {}): Promise<RedisServer> {
  return withFreshPorts(options.port !== undefined, async () => {
    await install(['redis']);
    const port = options.port ?? (await freePort());
    const folder = options.folder ?? temporaryFolder('redis');
    const node = createRedisNode({
      name: `redis ${port}`,
      port,
      folder,
      config: [`bind ${host}`, ...configOf(options, folder)],
      user: options.user,
      password: options.password,
      tls: options.tls,
    });
    await node.start();
    return Object.assign(node, {
      url: `${options.tls === undefined ? 'redis' : 'rediss'}://${node.address}`,
    });
  });
}

function configOf(options: RedisStartOptions, folder: string): string[] {
  const lines = [...(options.config ?? [])];
  if (options.appendonly === true) lines.push('appendonly yes', 'appendfsync everysec');
  if (options.aclFile !== undefined) lines.push(`aclfile ${quoted(options.aclFile)}`);
  else if (options.user !== undefined) {
    const file = join(folder, 'users.acl');
    const secret = options.password === undefined ? 'nopass' : `#${hashed(options.password)}`;
    const rules = options.rules ?? '~* &* +@all';
    writeFileSync(file, `user default off\nuser ${options.user} on ${secret} ${rules}\n`, { mode: 0o600 });
    lines.push(`aclfile ${quoted(file)}`);
  } else if (options.password !== undefined) lines.push(`requirepass ${quoted(options.password)}`);
  return lines;
}

/** As users files take a password that may hold spaces. */
function hashed(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}
