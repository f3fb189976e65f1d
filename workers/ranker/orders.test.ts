import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import { orderSlots } from './order.ts';
import { createOrders, type Order, orderRows } from './orders.ts';
import type { OrderInput } from './ranking.ts';

function create(intervalMs: number) {
  const clock = createManualClock(0);
  let sorts = 0;
  const release: (() => void)[] = [];
  let holding = false;
  const ranking = {
    version: 1,
    orderInput: (contest: string): OrderInput | null =>
      contest === 'c'
        ? {
            contest,
            version: ranking.version,
            total: 1,
            scores: new Int32Array([ranking.version]),
            present: new Uint8Array([1]),
          }
        : null,
  };
  const orders = createOrders({
    ranking,
    clock,
    intervalMs,
    keepMs: 5_000,
    async sort(input) {
      sorts += 1;
      if (holding) await new Promise<void>((resolve) => release.push(resolve));
      const { contest, version, scores } = input;
      return { contest, version, ordinals: orderSlots(input), scores };
    },
  });
  const outcomes: string[] = [];
  return {
    clock,
    ranking,
    orders,
    outcomes,
    sorts: () => sorts,
    hold(on: boolean) {
      holding = on;
      if (!on) for (const go of release.splice(0)) go();
    },
    get(minVersion: number, waitMs = 2_000) {
      void orders.get('c', minVersion, clock.now() + waitMs).then(
        (order) => outcomes.push(`${clock.now()} ${typeof order === 'string' ? order : order.version}`),
        (error: Error) => outcomes.push(`${clock.now()} ${error.message}`),
      );
    },
  };
}

test('all who ask within the interval share one order', async () => {
  const { clock, ranking, outcomes, get, hold, sorts } = create(1_000);
  hold(true);
  for (let i = 0; i < 5; i += 1) get(0);
  await clock.advanceSettled(300);
  hold(false);
  await clock.advanceSettled(0);
  ranking.version = 2;
  get(0);
  await clock.advanceSettled(0);
  assert.deepEqual(outcomes, ['300 1', '300 1', '300 1', '300 1', '300 1', '300 1']);
  assert.equal(sorts(), 1);
});

test('who needs a later version waits for the next order, at the interval’s end', async () => {
  const { clock, ranking, outcomes, get, sorts } = create(1_000);
  get(0);
  await clock.advanceSettled(100);
  ranking.version = 7;
  get(5);
  get(7);
  get(6, 500);
  await clock.advanceSettled(2_000);
  assert.deepEqual(outcomes, ['0 1', '600 timeout', '1000 7', '1000 7']);
  assert.equal(sorts(), 2);
  get(0);
  await clock.advanceSettled(0);
  assert.equal(outcomes.at(-1), '2100 7');
  assert.equal(sorts(), 2, 'nothing was applied since: it is as good as new');
});

test('an interval of 0 means always fresh: an order begun before the question does not do', async () => {
  const { clock, ranking, outcomes, get, hold, sorts } = create(0);
  hold(true);
  get(0);
  await clock.advanceSettled(0);
  ranking.version = 2;
  get(0);
  hold(false);
  await clock.advanceSettled(0);
  assert.deepEqual(outcomes, ['0 1', '0 2']);
  get(0);
  await clock.advanceSettled(0);
  assert.equal(sorts(), 2);
});

test('an unknown contest is told, and what nobody asks for is let go', async () => {
  const { clock, orders, get, sorts } = create(1_000);
  assert.equal(await orders.get('other', 0, 100), 'unknown');
  get(0);
  await clock.advanceSettled(6_000);
  orders.sweep();
  get(0);
  await clock.advanceSettled(0);
  assert.equal(sorts(), 2);
});

test('[RK-17] [RK-18] rows of a page have competition ranks, wherever ties and pages begin', () => {
  const seed = Number(process.env['SEED'] ?? 7);
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  for (let round = 0; round < 50; round += 1) {
    const scores = Int32Array.from({ length: 1 + random(60) }, () => random(8) - 4);
    const present = Uint8Array.from(scores, () => (random(4) === 0 ? 0 : 1));
    const order: Order = { contest: 'c', version: 1, ordinals: orderSlots({ scores, present }), scores };
    const names = (_contest: string, ordinals: ArrayLike<number>) =>
      Array.from(ordinals, (ordinal) => ({ entry: `e${ordinal}`, user: 'u' }));
    const slots = [...scores.keys()].filter((slot) => present[slot] === 1);
    slots.sort((a, b) => scores[b]! - scores[a]! || a - b);
    const expected = slots.map((slot) => [
      1 + slots.filter((other) => scores[other]! > scores[slot]!).length,
      `e${slot}`,
      scores[slot]!,
    ]);
    const from = random(slots.length + 2);
    const to = from + random(20);
    assert.deepEqual(
      orderRows(order, from, to, names),
      expected.slice(from, to),
      `SEED=${seed} round ${round}`,
    );
  }
});
