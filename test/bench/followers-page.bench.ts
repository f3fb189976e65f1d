import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { mintToken } from '../../edge/verifier/mint-token.ts';
import { RankcastProcess } from '../journeys/rankcast-process.ts';
import { startRedis } from '../services/redis.ts';
import { type Bench, quantile, quantiles } from './bench.ts';

/** MEMBERS: of the list, 10,000,000. CALLS: of each kind, 2,000. */
const members = Number(process.env['MEMBERS'] ?? 10_000_000);
const calls = Number(process.env['CALLS'] ?? 2_000);
const set = 'followers_1002';
const limit = 50;
/** A user may ask a hundred times a second. */
const readers = 200;

export const followersPageBench: Bench = {
  name: 'followers-page',
  about:
    `Pages of ${limit} of ${members.toLocaleString('en')} followers in Redis: over HTTP through a process ` +
    'of its own, in turn with a bare command of ioredis from here (p50 / p99 of each).',
  async run(add) {
    const server = await startRedis();
    const bare = new Redis(server.url);
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-page-'));
    const gateway = new RankcastProcess();
    let http: HttpLine | null = null;
    try {
      const secret = randomBytes(32).toString('hex');
      const { port } = await gateway.start([
        ...['all', '--redis-url', server.url, '--data', folder, '--port', '0', '--ops-port', '0'],
        ...['--token-secret', secret, '--api-key', randomBytes(32).toString('hex')],
      ]);
      await load(server.port);
      const users = Array.from({ length: readers }, (_, i) => `reader-${i}`);
      const tokens = users.map((user) => mintToken({ secret, user, ttlMs: 3_600_000 }));
      http = await HttpLine.open(port!, await Promise.all(tokens));
      const kinds = [0, Math.floor(members * 0.9)].map((offset) => ({
        what: `page at ${offset.toLocaleString('en')}`,
        path: `/v1/users/1002/followers?offset=${offset}&limit=${limit}`,
        command: () => bare.zrevrange(set, offset, offset + limit - 1, 'WITHSCORES'),
      }));
      const count = { what: 'count', path: '/v1/users/1002/counts', command: () => bare.zcard(set) };
      for (const { what, path, command } of [...kinds, count]) {
        const [above, through, alone] = await compare(http, path, command);
        add({
          what,
          measured: `${quantiles(through)}, p99 ${above.toFixed(2)} ms above`,
          beside: quantiles(alone),
          target: 'p99 <= 1.5 ms above',
        });
      }
    } finally {
      http?.close();
      await gateway.stop();
      bare.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Compared = [above: number, through: number[], alone: number[]];

/** In turn, so that both see the same machine. */
async function compare(http: HttpLine, path: string, command: () => Promise<unknown>): Promise<Compared> {
  const through: number[] = [];
  const alone: number[] = [];
  const warmUp = Math.min(500, calls);
  for (let call = 0; call < calls + warmUp; call++) {
    const began = performance.now();
    await http.get(path);
    const between = performance.now();
    await command();
    if (call < warmUp) continue;
    through.push(between - began);
    alone.push(performance.now() - between);
  }
  return [quantile(through, 0.99) - quantile(alone, 0.99), through, alone];
}

/** Straight into Redis, a thousand a command, as fast as it takes them. */
async function load(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let answered = 0;
  socket.on('data', (bytes) => {
    for (const byte of bytes) if (byte === 0x0a) answered += 1;
  });
  await once(socket, 'connect');
  const perCommand = 1_000;
  let sent = 0;
  for (let from = 0; from < members; from += perCommand) {
    const words = ['ZADD', set];
    const to = Math.min(members, from + perCommand);
    for (let member = from; member < to; member++) words.push(String(member / members), `u${member}`);
    const text = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
    sent += 1;
    if (!socket.write(`*${words.length}\r\n${text}`)) await once(socket, 'drain');
  }
  while (answered < sent) await once(socket, 'data');
  socket.destroy();
}

/** One kept connection, and no more of HTTP than these answers need: what is measured is the other side. */
class HttpLine {
  readonly #socket: Socket;
  readonly #tokens: readonly string[];
  #calls = 0;
  #text = '';
  #heard: (body: string) => void = () => undefined;

  static async open(port: number, tokens: readonly string[]): Promise<HttpLine> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new HttpLine(socket, tokens);
  }

  constructor(socket: Socket, tokens: readonly string[]) {
    this.#socket = socket;
    this.#tokens = tokens;
    socket.setEncoding('latin1').on('data', (part: string) => this.#take(part));
  }

  /** Throws for any other answer than 200. */
  async get(path: string): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.#heard = resolve;
    });
    const token = this.#tokens[this.#calls++ % this.#tokens.length];
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    const text = await answer;
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(text);
    return text;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: string): void {
    this.#text += part;
    const end = this.#text.indexOf('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(this.#text)?.[1];
    if (end < 0 || length === undefined || this.#text.length < end + 4 + Number(length)) return;
    const text = this.#text;
    this.#text = '';
    this.#heard(text);
  }
}
