import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContestMirror } from './contest-mirror.ts';
import { ContestModel } from './contest-model.ts';
import { MatchMirror } from './match-mirror.ts';
import type { ContestFrame, MatchFrame, Team } from './messages.ts';

const seed = Number(process.env['SEED'] ?? 20_190_715);

/** mulberry32. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function teamOf(next: () => number, players: number): Team {
  const free = Array.from({ length: players }, (_, i) => i);
  return Array.from({ length: 11 }, () => free.splice(Math.floor(next() * free.length), 1)[0]!);
}

function startedModel(next: () => number): ContestModel {
  const model = new ContestModel();
  model.addPlayers(Array.from({ length: 14 }, (_, i) => `p${i}`));
  model.addContest('small', 'fantasy', false);
  model.addContest('other', 'fantasy', false);
  model.addContest('large', 'fantasy', true);
  model.addContest('quiz', 'scores', false);
  for (let i = 0; i < 20; i++) step(model, next);
  return model;
}

/** One random record. */
function step(model: ContestModel, next: () => number): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const what = next();
  if (what < 0.5) {
    const player = Math.floor(next() * model.players.length);
    model.setPoints(player, Math.floor(next() * 60) - 20, next() < 0.3 ? `1.${player}` : null);
  } else if (what < 0.75) {
    const number = Math.floor(next() * 30);
    const contests = ['small', 'other', 'large'].filter(() => next() < 0.6);
    model.setEntry(`t${number}`, `u${number % 7}`, contests, teamOf(next, model.players.length));
  } else if (what < 0.8) {
    const number = Math.floor(next() * 30);
    model.setEntry(`q${number}`, `u${number % 7}`, next() < 0.8 ? ['quiz'] : [], []);
  } else if (what < 0.95) {
    const entries = [...model.contests.get('quiz')!.ordinals.keys()];
    const score = Math.floor((next() - 0.5) * 1e7);
    if (entries.length > 0) model.setScore('quiz', pick(entries), score);
  } else if (what < 0.98) {
    model.setPrizes(pick(['small', 'large', 'quiz']), Math.floor(next() * 9));
  } else if (model.players.length < 40) {
    model.addPlayers([`p${model.players.length}`]);
  }
}

function check(mirror: ContestMirror, model: ContestModel, id: string): void {
  const board = model.board(id);
  const why = `seed ${seed}, contest ${id}, version ${mirror.version}`;
  assert.equal(mirror.version, model.version, why);
  assert.deepEqual(
    [mirror.total, mirror.prizes, mirror.at],
    [board.length, model.contests.get(id)!.prizes, model.at],
    why,
  );
  assert.deepEqual(mirror.top(10), board.slice(0, 10), why);
  for (const [rank, entry, score] of board) {
    assert.equal(mirror.rankOf(score), rank, why);
    if (mirror.kind === 'fantasy') assert.equal(mirror.scoreOf(model.teams.get(entry)!), score, why);
  }
  for (const score of [-1e9, -7, 3, 1e9]) {
    assert.equal(mirror.rankOf(score), 1 + board.filter((row) => row[2] > score).length, why);
  }
  if (!mirror.small) return;
  for (let u = 0; u < 7; u++) assert.deepEqual(mirror.entriesOf(`u${u}`), model.who(id, [`u${u}`]).users![0]);
}

const ownOf = (frame: MatchFrame, id: string) => frame.contests.find((c) => c.contest === id) ?? null;

test('[VIEW-2] [VIEW-3] mirrors fed frames of random bases equal the obvious model', () => {
  const next = random(seed);
  for (let round = 0; round < 12; round++) {
    const model = startedModel(next);
    const ids = ['small', 'large', 'quiz'];
    const mirrors = new Map(ids.map((id) => [id, new ContestMirror(model.snapshot(id))]));
    const match = new MatchMirror(model.match());
    for (let i = 0; i < 40; i++) {
      const former = model.version;
      for (let k = Math.floor(next() * 6); k >= 0; k--) step(model, next);
      if (model.version === former) continue;
      const base = former - Math.floor(next() * 6);
      const frame = model.matchFrame(base);
      assert.equal(match.take(frame), 'taken');
      assert.deepEqual(match, new MatchMirror(model.match()), `seed ${seed}`);
      for (const [id, mirror] of mirrors) {
        const taken = mirror.small
          ? mirror.takeMatch(frame, ownOf(frame, id))
          : mirror.take(model.contestFrame(id, base));
        assert.equal(taken, 'taken');
        check(mirror, model, id);
      }
    }
  }
});

test('[VIEW-1] old frames are ignored, gaps and other epochs are told and change nothing', () => {
  const next = random(seed + 1);
  const model = startedModel(next);
  const at = model.version;
  const mirror = new ContestMirror(model.snapshot('large'));
  const match = new MatchMirror(model.match());
  assert.equal(mirror.take(model.contestFrame('large', at - 3)), 'old');
  assert.equal(match.take(model.matchFrame(at - 3)), 'old');
  const before = mirror.top(10);
  model.setPoints(0, 4_000);
  model.setPoints(1, 4_000);
  const frame = model.contestFrame('large', at);
  assert.equal(mirror.take({ ...frame, base: at + 1 }), 'gap');
  assert.equal(mirror.take({ ...frame, epoch: 'another' }), 'gap');
  assert.equal(match.take({ ...model.matchFrame(at), base: at + 1 }), 'gap');
  assert.equal(match.take({ ...model.matchFrame(at), epoch: 'another' }), 'gap');
  assert.equal(mirror.version, at);
  assert.deepEqual(mirror.top(10), before);
  assert.equal(mirror.take(frame), 'taken');
  assert.equal(mirror.take(frame), 'old');
  check(mirror, model, 'large');
});

test('[VIEW-1] frames of two replicas, delayed, doubled and lost, never lead a mirror astray', () => {
  const next = random(seed + 2);
  const model = startedModel(next);
  let mirror = new ContestMirror(model.snapshot('quiz'));
  const line: ContestFrame[] = [];
  const bases = [model.version, model.version];
  let gaps = 0;
  for (let i = 0; i < 400; i++) {
    step(model, next);
    for (let replica = 0; replica < 2; replica++) {
      if (next() < 0.5 || bases[replica] === model.version) continue;
      if (next() < 0.8) line.push(model.contestFrame('quiz', bases[replica]!));
      bases[replica] = model.version;
    }
    while (line.length > 0 && next() < 0.7) {
      const frame = next() < 0.8 ? line.shift()! : line[Math.floor(next() * line.length)]!;
      const before = mirror.version;
      const taken = mirror.take(frame);
      const expected = frame.version <= before ? 'old' : frame.base <= before ? 'taken' : 'gap';
      assert.equal(taken, expected, `seed ${seed}`);
      if (taken === 'gap') {
        gaps++;
        mirror = new ContestMirror(model.snapshot('quiz'));
      }
      if (mirror.version === model.version) check(mirror, model, 'quiz');
    }
  }
  assert.ok(gaps > 0);
});

test('[VIEW-4] null entries are a gap for that small contest alone', () => {
  const next = random(seed + 3);
  const model = startedModel(next);
  const small = new ContestMirror(model.snapshot('small'));
  const other = new ContestMirror(model.snapshot('other'));
  const base = model.version;
  model.setEntry('fresh', 'u1', ['small', 'other'], teamOf(next, 14));
  const frame = model.matchFrame(base);
  const cut = { ...ownOf(frame, 'small')!, entries: null };
  assert.equal(small.takeMatch(frame, cut), 'gap');
  assert.equal(small.version, base);
  assert.equal(other.takeMatch(frame, ownOf(frame, 'other')), 'taken');
  check(other, model, 'other');
});

test('[VIEW-3] an entry that leaves and comes back has the place it had', () => {
  const model = new ContestModel();
  model.addPlayers(Array.from({ length: 11 }, (_, i) => `p${i}`));
  model.addContest('small', 'fantasy', false);
  const team = Array.from({ length: 11 }, (_, i) => i);
  for (const entry of ['a', 'b', 'c']) model.setEntry(entry, 'u', ['small'], team);
  const mirror = new ContestMirror(model.snapshot('small'));
  for (const contests of [[], ['small']]) {
    const base = model.version;
    model.setEntry('a', 'u', contests, team);
    const frame = model.matchFrame(base);
    mirror.takeMatch(frame, ownOf(frame, 'small'));
  }
  assert.deepEqual(
    mirror.top(9).map((row) => row[1]),
    ['a', 'b', 'c'],
  );
});
