import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../../proto/codec.json.ts';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import { codes } from '../../proto/codes.ts';
import { brief, createTestbed, otherTeam, team } from '../live.testbed.ts';
import { liveDefaults } from '../live-options.ts';

test('[PR-30] [PR-34] after subscribed the board, then own entries and all their ranks', async () => {
  const { model, connect, subscribe } = await createTestbed();
  for (const contest of ['small', 'large', 'quiz']) {
    const socket = await connect('u1');
    const answer = await subscribe(socket, `contest:${contest}`);
    assert.deepEqual(brief(socket.frames), ['connected', 'subscribed', 'board', 'entries', 'ranks'], contest);
    assert.deepEqual([answer?.kind, answer?.epoch, answer?.recovered], ['state', `e-${contest}`, true]);
    const [board] = socket.of('board');
    assert.deepEqual(board?.top, model.board(contest));
    assert.ok(board!.version >= answer!.position);
    const [entries] = socket.of('entries');
    const own = model.board(contest).filter((row) => row[3] === 'u1');
    assert.deepEqual(entries?.entries.map((entry) => entry[0]).sort(), own.map((row) => row[1]).sort());
    assert.equal(socket.of('ranks')[0]?.rows.length, 3 * own.length);
  }
});

test('entries carry the team by name, captain and vice-captain', async () => {
  const { connect, subscribe } = await createTestbed();
  const socket = await connect('u0');
  await subscribe(socket, 'contest:large');
  const [entry, players, captain, vice] = socket.of('entries')[0]!.entries[0]!;
  assert.deepEqual([entry, captain, vice], ['t0', 'p0', 'p1']);
  assert.deepEqual(
    players,
    team.map((index) => `p${index}`),
  );
});

test('[PR-34] a user without entries gets an empty list and no ranks', async () => {
  const { model, connect, subscribe, change } = await createTestbed();
  for (const contest of ['small', 'large', 'quiz']) {
    const socket = await connect('nobody');
    await subscribe(socket, `contest:${contest}`);
    assert.deepEqual(socket.of('entries')[0]?.entries, []);
    await change(() => model.setPoints(2, model.version));
    assert.equal(socket.of('ranks').length, 0);
  }
});

test('[VIEW-12] [PR-35] [PR-36] changed ranks before the board, unchanged entries not named', async () => {
  const { model, connect, subscribe, change } = await createTestbed();
  model.setEntry('t7', 'u1', ['large'], otherTeam);
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  const before = socket.frames.length;
  // p0 is captain of t0, t2 and t4, and in no team of u1 but t4.
  await change(() => model.setPoints(0, 100));
  const after = socket.frames.slice(before);
  assert.deepEqual(brief(after), ['ranks', 'board']);
  const { entries } = socket.of('entries')[0]!;
  const { rows } = socket.of('ranks').at(-1)!;
  const told = entries.map((entry, index) => {
    const at = rows.findIndex((value, i) => i % 3 === 0 && value === index);
    return [entry[0], rows[at + 1], rows[at + 2]];
  });
  for (const [rank, entry, score, user] of model.board('large')) {
    if (user === 'u1')
      assert.deepEqual(
        told.find((row) => row[0] === entry),
        [entry, score, rank],
      );
  }
  const quiet = socket.of('ranks').length;
  await change(() => model.setPoints(0, 101));
  assert.deepEqual(socket.of('ranks').slice(quiet)[0]?.rows.length, 3, 'only t4 changed');
  await change(() => model.setPoints(0, 101));
  assert.equal(socket.of('ranks').length, quiet + 1, 'a repeat changes nothing');
  assert.equal(socket.of('board').at(-1)?.version, model.version, 'and yet has a board');
});

test('[PR-38] a ranks frame of one entry among ten million takes less than 24 bytes', () => {
  const bytes = msgpackCodec.encode({
    t: 'ranks',
    no: 65_535,
    version: 4_294_967_295,
    rows: [0, 2_000_000, 10_000_000],
  });
  assert.ok(bytes.length < 24, `${bytes.length} bytes`);
});

test('[PR-37] changed entries: hold, board, then the new list whole', async () => {
  const { model, connect, subscribe, change } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  const before = socket.frames.length;
  const { version } = model;
  await change(() => model.setEntry('t9', 'u1', ['large'], otherTeam));
  const after = socket.frames.slice(before);
  assert.deepEqual(brief(after), ['hold', 'board', 'entries', 'ranks']);
  assert.equal(socket.of('hold')[0]?.version, version);
  assert.equal(socket.of('entries').at(-1)?.entries.length, 3);
  assert.equal(socket.of('ranks').at(-1)?.rows.length, 9);
});

test('[PR-37] in a small contest too, where all is known at once', async () => {
  const { model, connect, subscribe, change, ranker } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:small');
  const before = socket.frames.length;
  await change(() => model.setEntry('t1', 'u1', ['small'], team));
  assert.deepEqual(brief(socket.frames.slice(before)), ['hold', 'entries', 'ranks', 'board']);
  assert.deepEqual(ranker.whoSizes, []);
});

test('[VIEW-9] no ranks while the entries are in doubt, whatever comes', async () => {
  const { model, bus, clock, connect, subscribe, change, ranker } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  const before = socket.frames.length;
  bus.holding = true;
  await change(() => model.setEntry('t9', 'u1', ['large'], otherTeam));
  await change(() => model.setPoints(0, 7));
  await change(() => model.setEntry('t10', 'u1', ['large'], team));
  assert.deepEqual(brief(socket.frames.slice(before)), ['hold', 'board', 'board', 'board']);
  bus.release();
  await clock.advanceSettled(500);
  assert.deepEqual(brief(socket.frames.slice(before + 4)), ['entries', 'ranks']);
  assert.equal(socket.of('entries').at(-1)?.entries.length, 4);
  assert.ok(ranker.whoSizes.length >= 2);
});

test('[VIEW-9] an answer ahead of the mirror waits for it', async () => {
  const { model, connect, subscribe, clock, ranker } = await createTestbed();
  const socket = await connect('u1');
  const other = await connect('u2');
  await subscribe(other, 'contest:large');
  model.setEntry('t9', 'u1', ['large'], otherTeam);
  await subscribe(socket, 'contest:large');
  assert.deepEqual(brief(socket.frames), ['connected', 'subscribed', 'board']);
  await ranker.tick();
  await clock.advanceSettled(300);
  // The frame named the user: asked for again, and then used.
  assert.deepEqual(brief(socket.frames), ['connected', 'subscribed', 'board', 'board', 'entries', 'ranks']);
  assert.equal(socket.of('entries')[0]?.entries.length, 3);
});

test('[VIEW-9] an answer behind the mirror is not used', async () => {
  const { model, connect, subscribe, clock, ranker, change } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  const old = model.who('large', ['u1']);
  ranker.alterWho = () => old;
  await change(() => model.setEntry('t9', 'u1', ['large'], otherTeam));
  await clock.advanceSettled(2_000);
  assert.equal(socket.of('entries').length, 1);
  ranker.alterWho = (answer) => answer;
  await clock.advanceSettled(2_000);
  assert.equal(socket.of('entries')[1]?.entries.length, 3);
});

test('[VIEW-9] scores: what changes while who is under way is applied to its answer', async () => {
  const { model, bus, clock, connect, subscribe, change, ranker } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(await connect('u0'), 'contest:quiz');
  const answer = model.who('quiz', ['u1']);
  ranker.alterWho = () => answer;
  bus.holding = true;
  await subscribe(socket, 'contest:quiz');
  await change(() => model.setScore('quiz', 'q1', 500));
  await change(() => model.setEntry('q4', 'u1', [], []));
  await change(() => model.setEntry('q9', 'u1', ['quiz'], []));
  bus.release();
  await clock.advanceSettled(100);
  assert.deepEqual(socket.of('entries')[0]?.entries, [['q1'], ['q9']]);
  const rank = (entry: string) => model.board('quiz').find((row) => row[1] === entry)!;
  assert.deepEqual(socket.of('ranks')[0]?.rows, [0, 500, rank('q1')[0], 1, 0, rank('q9')[0]]);
});

test('[VIEW-9] scores: changes beyond ownChangesMax ask again', async () => {
  const { model, bus, clock, connect, subscribe, change, ranker } = await createTestbed({ ownChangesMax: 3 });
  const socket = await connect('u1');
  await subscribe(await connect('u0'), 'contest:quiz');
  const old = model.who('quiz', ['u1']);
  let answers = 0;
  ranker.alterWho = (answer) => (answers++ === 0 ? old : answer);
  bus.holding = true;
  await subscribe(socket, 'contest:quiz');
  for (let i = 1; i <= 5; i++) await change(() => model.setScore('quiz', 'q1', i));
  bus.release();
  await clock.advanceSettled(500);
  assert.equal(answers, 2);
  assert.equal(socket.of('ranks')[0]?.rows[1], 5);
});

test('[VIEW-10] users who subscribe together share a question', async () => {
  const { clock, open, ranker } = await createTestbed();
  const sockets = Array.from({ length: 600 }, (_, i) => {
    const socket = open();
    socket.say({ t: 'connect', token: `v${i}` });
    socket.say({ t: 'subscribe', id: 1, channel: 'contest:large' });
    return socket;
  });
  await clock.advanceSettled(100);
  assert.deepEqual(ranker.whoSizes, [256, 256, 88]);
  assert.ok(sockets.every((socket) => socket.of('entries').length === 1));
});

test('[VIEW-10] who that fails is asked again, with pauses', async () => {
  const { clock, connect, subscribe, ranker } = await createTestbed();
  const socket = await connect('u1');
  ranker.alterWho = () => {
    throw new Error('not now');
  };
  await subscribe(socket, 'contest:large');
  await clock.advanceSettled(10_000);
  assert.ok(ranker.whoSizes.length >= 4 && ranker.whoSizes.length < 12, `${ranker.whoSizes.length} times`);
  assert.equal(socket.of('entries').length, 0);
  ranker.alterWho = (answer) => answer;
  await clock.advanceSettled(liveDefaults.whoRetryMaxMs);
  assert.equal(socket.of('entries').length, 1);
});

test('[VIEW-10] a final contest that rankers let go of: one question for each who comes', async () => {
  for (const final of [true, false]) {
    const { model, clock, connect, subscribe, ranker } = await createTestbed();
    model.contests.get('large')!.final = final;
    ranker.alterWho = (answer) => ({ ...answer, users: null });
    const socket = await connect('u1');
    await subscribe(socket, 'contest:large');
    await clock.advanceSettled(30_000);
    assert.equal(socket.of('board')[0]?.final, final);
    if (final) assert.equal(ranker.whoSizes.length, 1);
    else assert.ok(ranker.whoSizes.length > 5, 'it may come to know a contest that goes on');
    await subscribe(await connect('u2'), 'contest:large');
    await clock.advanceSettled(10_000);
    if (final) assert.equal(ranker.whoSizes.length, 2);
  }
});

test('[VIEW-11] too many changed: everybody holds, and is asked for in batches', async () => {
  for (const contest of ['large', 'quiz']) {
    const { model, connect, subscribe, change, ranker, clock } = await createTestbed();
    const sockets = [await connect('u0'), await connect('u1')];
    for (const socket of sockets) await subscribe(socket, `contest:${contest}`);
    ranker.tooMany = true;
    const asked = ranker.whoSizes.length;
    await change(() => (contest === 'large' ? model.setPoints(0, 9) : model.setScore('quiz', 'q1', 8)));
    ranker.tooMany = false;
    await clock.advanceSettled(50);
    assert.deepEqual(ranker.whoSizes.slice(asked), [2]);
    for (const socket of sockets) {
      assert.deepEqual(brief(socket.frames.slice(-4)), ['hold', 'board', 'entries', 'ranks']);
    }
  }
});

test('[VIEW-13] a board is encoded once, and only in encodings that somebody uses', async () => {
  const { model, sockets, connect, subscribe, change } = await createTestbed();
  for (let i = 0; i < 5; i++) await subscribe(await connect(`u${i}`), 'contest:large');
  const published = sockets.published;
  await change(() => model.setPoints(0, 9));
  assert.equal(sockets.published, published + 1);
  await subscribe(await connect('u7', jsonCodec), 'contest:large');
  await change(() => model.setPoints(0, 10));
  assert.equal(sockets.published, published + 3);
});

test('[VIEW-14] versions that come close together are published as one', async () => {
  const { model, clock, connect, subscribe, change, ranker } = await createTestbed({ publishGapMs: 20 });
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  await change(() => model.setPoints(0, 1));
  const boards = socket.of('board').length;
  for (let i = 2; i < 7; i++) {
    model.setPoints(0, i);
    await ranker.tick();
  }
  assert.equal(socket.of('board').length, boards + 1, 'the first at once');
  // One who joins in between gets the newest, and not again.
  const late = await connect('u2');
  await subscribe(late, 'contest:large');
  await clock.advanceSettled(50);
  assert.equal(socket.of('board').length, boards + 2);
  assert.deepEqual(
    late.of('board').map((board) => board.version),
    [model.version],
  );
});

test('[VIEW-15] a small contest that is not touched is silent', async () => {
  const { model, connect, subscribe, change } = await createTestbed();
  const socket = await connect('u1');
  const small = await subscribe(socket, 'contest:small');
  const large = await subscribe(socket, 'contest:large');
  await change(() => model.setEntry('t9', 'u2', ['large'], team));
  assert.equal(socket.of('board', small!.no).length, 1);
  assert.equal(socket.of('board', large!.no).length, 2);
  const late = await connect('u2');
  assert.equal((await subscribe(late, 'contest:small'))?.position, model.version);
});

test('[PR-31] one who knows more waits; then the edge says so, and sends no older state', async () => {
  const { model, bus, clock, connect, subscribe, change } = await createTestbed();
  await subscribe(await connect('u0'), 'contest:large');
  bus.losing = true;
  for (let i = 1; i < 5; i++) await change(() => model.setPoints(0, i));
  bus.losing = false;
  const known = model.version;
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'contest:large', { epoch: 'e-large', since: known });
  assert.equal(answer?.recovered, true);
  assert.ok(answer.position < known);
  await clock.advanceSettled(liveDefaults.behindAfterMs - 100);
  assert.deepEqual(brief(socket.frames), ['connected', 'subscribed']);
  await clock.advanceSettled(5_000);
  assert.deepEqual(brief(socket.frames), ['connected', 'subscribed', 'behind']);
  assert.deepEqual(
    [socket.of('behind')[0]?.since, socket.of('behind')[0]?.version],
    [known, answer.position],
  );
  await change(() => model.setPoints(0, 9));
  await clock.advanceSettled(100);
  assert.deepEqual(brief(socket.frames.slice(3)), ['board', 'entries', 'ranks']);
  assert.ok(socket.of('board')[0]!.version >= known);
});

test('[PR-31] one who waits and goes, or unsubscribes, is told nothing', async () => {
  const { clock, connect, subscribe, model } = await createTestbed();
  await subscribe(await connect('u0'), 'contest:large');
  const since = { epoch: 'e-large', since: model.version + 5 };
  const gone = await connect('u1');
  await subscribe(gone, 'contest:large', since);
  const off = await connect('u2');
  await subscribe(off, 'contest:large', since);
  gone.hangUp();
  off.say({ t: 'unsubscribe', id: 9, channel: 'contest:large' });
  await clock.advanceSettled(5_000);
  assert.deepEqual(brief(off.frames), ['connected', 'subscribed', 'unsubscribed']);
});

test('a client of another epoch is not recovered, and gets the state at once', async () => {
  const { connect, subscribe } = await createTestbed();
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'contest:large', { epoch: 'e-former', since: 9_999 });
  assert.equal(answer?.recovered, false);
  assert.equal(socket.of('board').length, 1);
});

test('[PR-26] a contest that begins anew: a gap, then everything whole', async () => {
  const { model, bus, clock, connect, subscribe, change } = await createTestbed();
  for (const contest of ['small', 'large', 'quiz']) {
    const socket = await connect('u1', contest === 'large' ? jsonCodec : msgpackCodec);
    await subscribe(socket, `contest:${contest}`);
    const before = socket.frames.length;
    model.generation++;
    bus.reset('another log');
    await clock.advanceSettled(200);
    const kinds = brief(socket.frames.slice(before));
    assert.equal(kinds[0], 'gap', contest);
    assert.deepEqual(kinds.slice(1).sort(), ['board', 'entries', 'ranks'], contest);
    const [gap] = socket.of('gap');
    assert.deepEqual([gap?.epoch, gap?.code], [model.epochOf(contest), codes.epoch_changed.no]);
    await change(() => model.setPoints(0, model.version));
    assert.equal(socket.of('board').at(-1)?.version, model.version);
  }
});

test('[PR-25] a board comes again where it has become stale, and where it is so no more', async () => {
  const { clock, connect, subscribe, ranker } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:large');
  ranker.silent = true;
  await clock.advanceSettled(10_000);
  ranker.silent = false;
  await clock.advanceSettled(10_000);
  assert.deepEqual(
    socket.of('board').map((board) => board.stale),
    [false, true, false],
  );
  assert.equal(new Set(socket.of('board').map((board) => board.version)).size, 1);
});

test('two sockets of a user share a view, in both encodings', async () => {
  const { model, connect, subscribe, change, ranker } = await createTestbed();
  const first = await connect('u1');
  await subscribe(first, 'contest:large');
  const second = await connect('u1', jsonCodec);
  await subscribe(second, 'contest:large');
  assert.deepEqual(ranker.whoSizes, [1]);
  assert.deepEqual(second.of('ranks'), first.of('ranks'));
  await change(() => model.setPoints(13, 50));
  assert.equal(first.of('ranks').length, 2);
  assert.deepEqual(second.of('ranks'), first.of('ranks'));
  first.hangUp();
  await change(() => model.setPoints(13, 60));
  assert.equal(second.of('ranks').length, 3);
});
