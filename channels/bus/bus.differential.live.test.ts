/**
 * The same random operations on the embedded bus and on Redis: the same answers and deliveries.
 * @live timeout=120s side-by-side
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type RedisServer, startRedis } from '../../test/services/redis.ts';
import { type RedisCluster, startRedisCluster } from '../../test/services/redis-cluster.ts';
import { until } from '../../test/services/until.ts';
import { systemClock } from '../clock.ts';
import { type Random, seededRandom } from '../random.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { createEmbeddedBus } from './bus.embedded.ts';
import type { Bus, History, Position, Unsubscribe } from './bus.ts';
import { message } from './heard.conformance.ts';
import { freshPrefix, openBus, type Where } from './redis-bus.conformance.ts';

const bounds = { historyMessagesMax: 20, messageIdsKept: 40, messageBytesMax: 300 };
const steps = 1_500;
let single: RedisServer;
let cluster: RedisCluster;
before(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster({ masters: 3, replicasEach: 0 })]);
});
after(() => Promise.all([single?.kill(), cluster?.kill()]));

test('[BUS-1] [BUS-7] [BUS-10] one Redis answers as the embedded bus does', async (t) => {
  await compare(t, { url: single.url });
});
test('[BUS-1] [BUS-7] [BUS-10] a cluster answers as the embedded bus does', async (t) => {
  await compare(t, { cluster: cluster.addresses.map(({ host, port }) => `${host}:${port}`) });
});

async function compare(t: TestContext, where: Where): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-'));
  const store = openEmbeddedStore(folder);
  const embedded = createEmbeddedBus({
    store,
    clock: systemClock,
    newEpoch: () => 'embedded',
    options: bounds,
    onError: (error) => assert.fail(String(error)),
  });
  const real = openBus(where, { ...bounds, prefix: freshPrefix() });
  try {
    const one = new Driver(embedded, seededRandom(seed));
    const two = new Driver(real.bus, seededRandom(seed));
    for (let step = 0; step < steps; step++) {
      const [expected, answered] = await Promise.all([one.step(step), two.step(step)]);
      assert.deepEqual(answered, expected, `step ${step}`);
      // Whoever leaves in the next step has heard the same by then.
      const isEven = async (): Promise<boolean> => one.deliveries === two.deliveries;
      if (!(await isEven()))
        await until(`both hear of step ${step}`, isEven, { timeoutMs: 10_000, pollMs: 1 });
    }
    assert.deepEqual(two.heard, one.heard);
    t.diagnostic(`${steps} steps, ${one.deliveries} deliveries, ${one.refused} refused`);
    assert.deepEqual([real.errors, real.resets], [[], []]);
  } finally {
    await real.close();
    await embedded.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** Draws operations; the same for the same numbers, whatever the answers are. */
class Driver {
  readonly heard: Record<string, string[]> = {};
  deliveries = 0;
  refused = 0;
  readonly #bus: Bus;
  readonly #random: Random;
  readonly #listeners: Unsubscribe[] = [];
  #listened = 0;

  constructor(bus: Bus, random: Random) {
    this.#bus = bus;
    this.#random = random;
  }

  async step(no: number): Promise<unknown> {
    const dice = this.#random();
    const name = `n${this.#pick(6)}`;
    if (dice < 0.45) return await this.#append(no);
    if (dice < 0.6) {
      return plain(await this.#bus.history(name, this.#pick(30), this.#pick(30)));
    }
    if (dice < 0.7) {
      const channels = Array.from({ length: this.#pick(9) }, () => `n${this.#pick(8)}`);
      return (await this.#bus.heads(channels)).map(({ position }) => position);
    }
    if (dice < 0.85) {
      const count = 1 + this.#pick(5);
      for (let n = 0; n < count; n++) await this.#bus.publish(name, Uint8Array.of(no & 255, no >> 8, n));
      return null;
    }
    if (dice < 0.95) return await this.#listen(name, no);
    return await this.#ask(name, no);
  }

  async #append(no: number): Promise<unknown> {
    const appends = Array.from({ length: 1 + this.#pick(8) }, (_, n) => {
      // New ids, repeats that are known, repeats that may be forgotten are left out, and too large ones.
      const repeat = this.#random() < 0.2;
      const id = repeat ? `m${Math.max(0, no - this.#pick(4))}-0` : `m${no}-${n}`;
      const data = 'x'.repeat(this.#random() < 0.05 ? 400 : this.#pick(100));
      return this.#bus.append(`n${this.#pick(6)}`, message(id, data, no));
    });
    const answers = await Promise.allSettled(appends);
    return answers.map((answer) => {
      if (answer.status === 'fulfilled') return (answer.value as Position).position;
      this.refused++;
      return (answer.reason as { code: string }).code;
    });
  }

  async #listen(name: string, no: number): Promise<null> {
    if (this.#listeners.length > 8) {
      this.#listeners.splice(this.#pick(this.#listeners.length), 1)[0]!();
      return null;
    }
    const key = `${name} ${++this.#listened}`;
    const list: string[] = [];
    this.heard[key] = list;
    const hear = (what: string, from: number): void => {
      // What was published before may still be under way: it may come or not.
      if (from < no) return;
      this.deliveries++;
      list.push(what);
    };
    const leave =
      this.#random() < 0.5
        ? this.#bus.subscribe(name, (bytes) => hear([...bytes].join(), bytes[0]! + 256 * bytes[1]!))
        : this.#bus.follow(name, ({ id, position, at, data }) =>
            hear(`${position} ${id} ${at} ${data.length}`, at),
          );
    this.#listeners.push(await leave);
    return null;
  }

  async #ask(name: string, no: number): Promise<unknown> {
    const leave = await this.#bus.answer(name, async (question) => Uint8Array.of(question[0]!, 7));
    const silent = await this.#bus.answer(name, async () => null);
    const answer = [...(await this.#bus.ask(name, Uint8Array.of(no & 255), 10_000))];
    leave();
    silent();
    return answer;
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

function plain({ head, first, messages }: History): unknown {
  return {
    head,
    first,
    messages: messages.map(({ id, at, position, data }) => [id, at, position, data.length]),
  };
}
