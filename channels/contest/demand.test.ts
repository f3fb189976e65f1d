import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { FaultyBus } from '../bus/bus.faulty.ts';
import { createManualClock } from '../clock.manual.ts';
import { MemoryLookup } from '../lookup/lookup.memory.ts';
import type { ContestMirror } from './contest-mirror.ts';
import { ContestModel } from './contest-model.ts';
import { createDemand } from './demand.ts';
import { type DemandOptions, demandDefaults } from './demand-options.ts';
import type { ContestListener } from './followed-contest.ts';
import type { MatchListener } from './followed-match.ts';
import type { MatchMirror } from './match-mirror.ts';
import { newcomerTopic } from './messages.ts';
import { ModelRanker } from './model-ranker.ts';

class Listener implements ContestListener, MatchListener {
  readonly heard: string[] = [];
  versions: number[] = [];
  onSnapshot(mirror: ContestMirror | MatchMirror): void {
    this.heard.push(`snapshot ${mirror.version}`);
    this.versions.push(mirror.version);
  }
  onFrame(mirror: ContestMirror | MatchMirror): void {
    this.heard.push(`frame ${mirror.version}`);
    this.versions.push(mirror.version);
  }
  onStale(): void {
    this.heard.push('stale?');
  }
  onFailed(why: string): void {
    this.heard.push(why);
  }
}

const team = Array.from({ length: 11 }, (_, i) => i);

async function setUp(changed: Partial<DemandOptions> = {}) {
  const model = new ContestModel();
  model.addPlayers(Array.from({ length: 14 }, (_, i) => `p${i}`));
  model.addContest('small', 'fantasy', false);
  model.addContest('large', 'fantasy', true);
  model.addContest('quiz', 'scores', false);
  for (let i = 0; i < 5; i++) model.setEntry(`t${i}`, `u${i}`, ['small', 'large'], team);
  model.setEntry('q1', 'u1', ['quiz'], []);
  const bus = new FaultyBus();
  const lookup = new MemoryLookup();
  const clock = createManualClock();
  const ranker = await new ModelRanker(model, bus).start(lookup);
  const demand = createDemand({
    bus,
    lookup,
    clock,
    options: { ...demandDefaults, ...changed },
    logger: pino({ level: 'silent' }),
    edge: 'edge-1',
    random: () => 0.5,
  });
  const follow = async (id: string) => {
    const listener = new Listener();
    const followed = demand.contest(id, listener);
    await clock.advanceSettled(20);
    return { listener, followed };
  };
  /** A record, a tick, and time for what follows. */
  const points = async (steps: number) => {
    model.setPoints(0, steps);
    await ranker.tick();
    await clock.advanceSettled(1);
  };
  return { model, bus, lookup, clock, ranker, demand, follow, points };
}

test('[VIEW-5] a snapshot, then frames: small, large and scores contests, and a match', async () => {
  const { model, demand, clock, ranker, follow, points } = await setUp();
  const small = await follow('small');
  const large = await follow('large');
  const quiz = await follow('quiz');
  const match = new Listener();
  const followedMatch = demand.match('m1', match);
  await clock.advanceSettled(20);
  await points(7);
  model.setScore('quiz', 'q1', 900_000);
  await ranker.tick();
  for (const one of [small, large]) {
    assert.equal(one.followed.mirror?.version, model.version);
    assert.deepEqual(one.followed.mirror?.top(3), model.board(one.followed.id).slice(0, 3));
  }
  assert.deepEqual(quiz.followed.mirror?.top(3), model.board('quiz'));
  assert.equal(followedMatch.mirror?.points()[0]?.[1], 3.5);
  assert.deepEqual(match.heard.slice(0, 2), ['snapshot 10', 'frame 11']);
});

test('[VIEW-5] frames that come while a snapshot is awaited are applied to it', async () => {
  const { model, bus, clock, ranker, demand } = await setUp();
  const listener = new Listener();
  const followed = demand.contest('quiz', listener);
  await clock.advanceSettled(0);
  // The answer is made now, and arrives after the frames that follow it.
  ranker.alterWant = (answer) => {
    queueMicrotask(() => {
      for (let i = 1; i <= 3; i++) {
        const base = model.version;
        model.setScore('quiz', 'q1', i);
        void ranker.publish('c:quiz', base);
      }
    });
    return answer;
  };
  await clock.advanceSettled(20);
  assert.equal(followed.mirror?.version, model.version);
  assert.deepEqual(followed.mirror?.top(1), model.board('quiz'));
  assert.ok(bus.listeners('c:quiz') === 1);
});

test('[VIEW-5] a gap asks again, once for all frames behind it', async () => {
  const { model, bus, clock, ranker, follow, points } = await setUp();
  const { listener, followed } = await follow('large');
  bus.losing = true;
  await points(1);
  bus.losing = false;
  const asked = ranker.wantSizes.length;
  model.setPoints(1, 5);
  await ranker.tick();
  model.setPoints(2, 5);
  await ranker.tick();
  await clock.advanceSettled(20);
  assert.equal(ranker.wantSizes.length, asked + 1);
  assert.equal(followed.mirror?.version, model.version);
  assert.ok(listener.heard.filter((line) => line.startsWith('snapshot')).length === 2);
});

test('[VIEW-5] a lost last frame shows in the heads', async () => {
  const { model, bus, clock, ranker, follow, points } = await setUp();
  const small = await follow('small');
  const large = await follow('large');
  await clock.advanceSettled(1_100);
  bus.losing = true;
  await points(4);
  bus.losing = false;
  await ranker.heads();
  assert.notEqual(large.followed.mirror?.version, model.version);
  await clock.advanceSettled(demandDefaults.headsGraceMs + 20);
  assert.equal(large.followed.mirror?.version, model.version);
  assert.equal(small.followed.mirror?.version, model.version);
});

test('[VIEW-5] after a reset of the bus all is asked for again', async () => {
  const { model, bus, clock, follow, points } = await setUp();
  const { followed } = await follow('large');
  bus.losing = true;
  await points(4);
  bus.losing = false;
  bus.reset('another connection');
  await clock.advanceSettled(20);
  assert.equal(followed.mirror?.version, model.version);
});

test('[VIEW-5] a ranker that has come is told at once what is wanted', async () => {
  const { bus, clock, ranker, follow } = await setUp();
  await follow('large');
  await clock.advanceSettled(1_100);
  assert.equal(ranker.renewals, 0);
  await bus.publish(newcomerTopic(0), Uint8Array.of(1));
  await clock.advanceSettled(1_100);
  assert.equal(ranker.renewals, 1);
  await clock.advanceSettled(3_000);
  assert.equal(ranker.renewals, 1, 'once for each time it says so');
});

test('[VIEW-5] leases are renewed; without one no frame is taken', async () => {
  const { demand, model, clock, ranker, follow, points } = await setUp();
  assert.equal(demand.rankerSilenceMs(), 0);
  const { followed } = await follow('small');
  await clock.advanceSettled(11_000);
  assert.ok(ranker.renewals >= 1);
  assert.equal(followed.stale, false);
  assert.ok(demand.rankerSilenceMs() <= demandDefaults.headsSilenceMs + 1_100, 'its answers count');
  ranker.silent = true;
  await clock.advanceSettled(demandDefaults.leaseMs + 2_000);
  assert.equal(followed.stale, true);
  assert.ok(demand.rankerSilenceMs() >= demandDefaults.leaseMs);
  ranker.silent = false;
  const before = followed.mirror!.version;
  model.setEntry('t9', 'u9', ['small'], team);
  await ranker.publish('m:m1', before);
  assert.equal(followed.mirror?.version, before, 'the frame was not taken');
  await clock.advanceSettled(demandDefaults.retryMaxMs + 1_000);
  assert.equal(followed.mirror?.version, model.version);
  assert.equal(followed.stale, false);
  await points(3);
  assert.equal(followed.mirror?.version, model.version);
});

test('[VIEW-6] a snapshot older than the mirror is not taken', async () => {
  const { model, bus, clock, ranker, follow, points } = await setUp();
  const { listener, followed } = await follow('large');
  await points(1);
  const old = model.snapshot('large');
  await points(2);
  ranker.alterWant = (answer) => ({ ...answer, contests: [old] });
  bus.reset('so it is');
  await clock.advanceSettled(20);
  assert.equal(followed.mirror?.version, model.version);
  await points(3);
  assert.equal(followed.mirror?.version, model.version);
  assert.deepEqual(
    listener.versions,
    [...listener.versions].sort((a, b) => a - b),
  );
});

test('[VIEW-6] a gap that an old snapshot cannot mend is asked about again, with pauses', async () => {
  const { model, bus, clock, ranker, follow, points } = await setUp();
  const { followed } = await follow('large');
  const old = model.snapshot('large');
  bus.losing = true;
  await points(1);
  bus.losing = false;
  ranker.alterWant = (answer) => ({ ...answer, contests: [old] });
  await points(2);
  await clock.advanceSettled(3_000);
  assert.equal(followed.mirror?.version, old.version);
  assert.ok(ranker.wantSizes.length < 12);
  ranker.alterWant = (answer) => answer;
  await clock.advanceSettled(demandDefaults.retryMaxMs);
  assert.equal(followed.mirror?.version, model.version);
});

test('[VIEW-7] without a ranker the state kept is served as stale, until one answers', async () => {
  const { model, lookup, clock, ranker, follow } = await setUp();
  await ranker.keep(lookup, 'large');
  const kept = model.version;
  model.setPoints(0, 9);
  ranker.silent = true;
  const { listener, followed } = await follow('large');
  assert.equal(followed.mirror?.version, kept);
  assert.equal(followed.stale, true);
  ranker.silent = false;
  await clock.advanceSettled(demandDefaults.retryMaxMs);
  assert.equal(followed.mirror?.version, model.version);
  assert.equal(followed.stale, false);
  assert.deepEqual(listener.heard, [`snapshot ${kept}`, `snapshot ${model.version}`]);
});

test('[VIEW-7] a final state that has left the memory of rankers is not stale', async () => {
  const { model, lookup, clock, ranker, follow } = await setUp();
  model.contests.get('large')!.final = true;
  await ranker.keep(lookup, 'large');
  ranker.alterWant = (answer) => ({ ...answer, contests: [null] });
  const { listener, followed } = await follow('large');
  assert.equal(followed.mirror?.final, true);
  assert.equal(followed.stale, false);
  await clock.advanceSettled(20_000);
  assert.deepEqual(listener.heard, [`snapshot ${model.version}`]);
});

test('[VIEW-7] a mirror newer than what is kept stays, marked stale', async () => {
  const { model, lookup, clock, ranker, follow, points } = await setUp();
  await ranker.keep(lookup, 'large');
  const { listener, followed } = await follow('large');
  await points(2);
  ranker.silent = true;
  await clock.advanceSettled(8_000);
  assert.equal(followed.stale, true);
  assert.equal(followed.mirror?.version, model.version);
  ranker.silent = false;
  await clock.advanceSettled(8_000);
  assert.equal(followed.stale, false);
  assert.deepEqual(listener.heard.slice(-2), ['stale?', 'stale?']);
});

test('[VIEW-7] nothing kept and nobody there: unavailable, and found by itself later', async () => {
  const { model, clock, ranker, follow } = await setUp();
  ranker.silent = true;
  const { listener, followed } = await follow('small');
  assert.deepEqual(listener.heard, ['unavailable']);
  ranker.silent = false;
  await clock.advanceSettled(demandDefaults.retryMaxMs);
  assert.equal(followed.mirror?.version, model.version);
});

test('[VIEW-8] an unknown name is told at once and remembered for a while', async () => {
  const { model, lookup, clock, ranker, follow } = await setUp();
  assert.deepEqual((await follow('nobody')).listener.heard, ['unknown']);
  const reads = lookup.reads.length;
  assert.deepEqual((await follow('nobody')).listener.heard, ['unknown']);
  assert.equal(lookup.reads.length, reads);
  model.addContest('nobody', 'scores', false);
  await ranker.start(lookup);
  await clock.advanceSettled(demandDefaults.unknownKeptMs);
  const { followed } = await follow('nobody');
  assert.equal(followed.mirror?.version, model.version);
});

test('[VIEW-8] a lookup that fails is no unknown name', async () => {
  const { model, lookup, clock, follow } = await setUp();
  lookup.failing = true;
  const { listener, followed } = await follow('small');
  assert.deepEqual(listener.heard, ['unavailable']);
  lookup.failing = false;
  await clock.advanceSettled(demandDefaults.retryMaxMs);
  assert.equal(followed.mirror?.version, model.version);
});

test('names wanted together share reads and questions', async () => {
  const { model, lookup, clock, ranker, demand } = await setUp();
  for (let i = 0; i < 100; i++) model.addContest(`c${i}`, 'fantasy', false);
  await ranker.start(lookup);
  const all = Array.from({ length: 100 }, (_, i) => demand.contest(`c${i}`, new Listener()));
  await clock.advanceSettled(30);
  assert.ok(all.every((one) => one.mirror?.version === model.version));
  assert.equal(lookup.reads.length, 1);
  assert.deepEqual(ranker.wantSizes, [64, 36]);
});

test('a small contest that becomes large goes on from its own topic', async () => {
  const { model, bus, clock, ranker, follow, points } = await setUp();
  const { followed } = await follow('small');
  assert.deepEqual([bus.listeners('m:m1'), bus.listeners('c:small')], [1, 0]);
  model.contests.get('small')!.large = true;
  const base = model.version;
  model.setEntry('t9', 'u9', ['small'], team);
  const frame = model.matchFrame(base);
  const { prizes } = model.contests.get('small')!;
  frame.contests = [{ contest: 'small', total: 6, prizes, final: false, entries: null }];
  const { encodeMatchFrame } = await import('./message-codec.ts');
  await bus.publish('m:m1', encodeMatchFrame(frame));
  await clock.advanceSettled(30);
  assert.deepEqual([bus.listeners('m:m1'), bus.listeners('c:small')], [0, 1]);
  assert.equal(followed.mirror?.small, false);
  await points(12);
  assert.equal(followed.mirror?.version, model.version);
  assert.ok(ranker.bases.has('c:small'));
});

test('what is released is heard no more', async () => {
  const { bus, demand, follow, points } = await setUp();
  const { listener, followed } = await follow('large');
  const { length } = listener.heard;
  demand.release(followed);
  await points(5);
  assert.equal(listener.heard.length, length);
  assert.equal(bus.listeners('c:large'), 0);
  assert.deepEqual(demand.counts(), { contests: 0, matches: 0, stale: 0 });
});

test('beyond wantedMax no more is followed', async () => {
  const { demand, follow } = await setUp({ wantedMax: 1 });
  await follow('small');
  assert.throws(() => demand.contest('large', new Listener()), /as many as it may/);
});
