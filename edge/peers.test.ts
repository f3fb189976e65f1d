import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { FaultyBus } from '../channels/bus/bus.faulty.ts';
import { createManualClock } from '../channels/clock.manual.ts';
import { mergeChannelInfo } from './channel-info.ts';
import { createPeers, type Peers, peersDefaults } from './peers.ts';

function setUp() {
  const clock = createManualClock();
  const bus = new FaultyBus();
  const start = (edge: string, on = bus) =>
    createPeers({
      bus: on,
      clock,
      edge,
      logger: pino({ level: 'silent' }),
      answer: (about: string) => ({ edge, about }),
    });
  const edges = async (peers: Peers<{ edge: string }>) => {
    const { answers, silent } = await peers.ask('c1');
    return { edges: answers.map(({ edge }) => edge).sort(), silent };
  };
  return { clock, bus, start, edges };
}

test('an edge alone answers at once; others are known as soon as they start', async () => {
  const { clock, start, edges } = setUp();
  const one = await start('e1');
  assert.deepEqual(await edges(one), { edges: ['e1'], silent: 0 });
  const two = await start('e2');
  const three = await start('e3');
  await clock.advanceSettled(0);
  for (const each of [one, two, three]) {
    assert.equal(each.count(), 2);
    assert.deepEqual(await edges(each), { edges: ['e1', 'e2', 'e3'], silent: 0 });
  }
  two.close();
  assert.deepEqual(await edges(one), { edges: ['e1', 'e3'], silent: 0 });
});

test('one that died is counted as silent after the deadline, and forgotten later', async () => {
  const { clock, bus, start, edges } = setUp();
  const one = await start('e1');
  await start('e2');
  const dead = new FaultyBus();
  const words = new Set<string>();
  await bus.subscribe('x:edges', (bytes) => words.add(Buffer.from(bytes).toString()));
  await bus.publish('x:edges', Buffer.from(JSON.stringify({ k: 'here', edge: 'e3' })));
  await start('e3', dead);
  assert.equal(one.count(), 2);
  const asked = edges(one);
  await clock.advanceSettled(peersDefaults.askMs);
  assert.deepEqual(await asked, { edges: ['e1', 'e2'], silent: 1 });
  await clock.advanceSettled(peersDefaults.goneAfterMs + 1);
  assert.equal(one.count(), 1);
  assert.deepEqual(await edges(one), { edges: ['e1', 'e2'], silent: 0 });
  assert.ok(words.size > 0);
});

test('a bus that loses words: silent now, whole again when they arrive', async () => {
  const { clock, bus, start, edges } = setUp();
  const one = await start('e1');
  const two = await start('e2');
  bus.losing = true;
  const asked = edges(two);
  await clock.advanceSettled(peersDefaults.askMs);
  assert.deepEqual(await asked, { edges: ['e2'], silent: 1 });
  bus.losing = false;
  assert.deepEqual(await edges(one), { edges: ['e1', 'e2'], silent: 0 });
});

test('beyond the bound of questions this edge answers alone, the others are silent', async () => {
  const { clock, bus, start, edges } = setUp();
  const one = await start('e1');
  await start('e2');
  bus.losing = true;
  const asked = Array.from({ length: peersDefaults.questionsMax }, () => edges(one));
  assert.deepEqual(await edges(one), { edges: ['e1'], silent: 1 });
  await clock.advanceSettled(peersDefaults.askMs);
  assert.equal((await Promise.all(asked)).length, peersDefaults.questionsMax);
});

test('what edges know of a channel is summed, its position the newest', () => {
  const of = (subscribers: number, position: number | null) => ({
    ...{ channel: 'contest:c1', kind: 'state' as const, subscribers },
    ...{ epoch: position === null ? null : `e${position}`, position },
  });
  assert.deepEqual(mergeChannelInfo([of(0, null)], 0), { ...of(0, null), edges: 1, silentEdges: 0 });
  assert.deepEqual(mergeChannelInfo([of(0, null), of(2, 41), of(3, 42), of(1, 40)], 1), {
    ...of(6, 42),
    edges: 4,
    silentEdges: 1,
  });
});
