import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { jsonCodec } from '../../proto/codec.json.ts';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import { FaultyBus } from '../bus/bus.faulty.ts';
import type { Position } from '../bus/bus.ts';
import { createManualClock } from '../clock.manual.ts';
import { createHub } from './hub.ts';
import { type HubOptions, hubDefaults } from './hub-options.ts';
import type { LogChannel, LogSubscriber } from './log-channel.ts';
import { LogItem } from './log-item.ts';

const seed = Number(process.env['SEED'] ?? 20_190_716);

/** Writes down what it hears. */
class Listener implements LogSubscriber {
  readonly heard: string[] = [];
  readonly positions: number[] = [];
  epoch = '';
  at = 0;
  joined = 0;
  onJoined(channel: LogChannel, recovered: boolean): void {
    this.joined++;
    this.heard.push(`joined ${channel.head}${recovered ? '' : ' not recovered'}`);
    if (!recovered || this.epoch === '') this.at = channel.head;
    this.epoch = channel.epoch;
  }
  onMessage(_channel: LogChannel, item: LogItem): void {
    this.heard.push(`${item.position}`);
    this.positions.push(item.position);
    assert.equal(item.position, this.at + 1, `positions rise by one, seed ${seed}`);
    this.at = item.position;
  }
  onGap(channel: LogChannel, code: string, message: string): void {
    assert.ok(message.length > 20);
    this.heard.push(`gap ${channel.head} ${code}`);
    this.at = channel.head;
    this.epoch = channel.epoch;
  }
  onFailed(code: string): void {
    this.heard.push(`failed ${code}`);
  }
  /** As a client that comes back with what it has. */
  resumed(position: Position): this {
    this.epoch = position.epoch;
    this.at = position.position;
    return this;
  }
}

function setUp(changed: Partial<HubOptions> = {}) {
  const bus = new FaultyBus();
  const clock = createManualClock();
  let no = 0;
  let sent = 0;
  const hub = createHub({
    bus,
    clock,
    options: { ...hubDefaults, ...changed },
    logger: pino({ level: 'silent' }),
    nextNo: () => ++no,
    events: { onHole: () => {}, onGap: () => {} },
  });
  const append = async (count: number, channel = 'feed:a') => {
    for (let i = 0; i < count; i++) {
      await bus.append(channel, {
        id: `i${++sent}`,
        at: sent,
        data: new TextEncoder().encode(`{"n":${sent}}`),
      });
    }
  };
  const join = async (since: Position | null = null, channel = 'feed:a'): Promise<Listener> => {
    const listener = since === null ? new Listener() : new Listener().resumed(since);
    hub.join(channel, since, listener);
    await clock.advanceSettled(5);
    return listener;
  };
  return { bus, clock, hub, append, join };
}

test('[HUB-1] one that joins hears joined, then each message one above the former', async () => {
  const { append, join } = setUp();
  await append(3);
  const listener = await join();
  await append(2);
  assert.deepEqual(listener.heard, ['joined 3', '4', '5']);
});

test('[HUB-1] [HUB-6] what was missed comes in the turn of joining, from the ring', async () => {
  const { bus, hub, append, join } = setUp();
  const first = await join();
  await append(5);
  const reads = bus.calls.length;
  const late = new Listener().resumed({ epoch: 'e1', position: 2 });
  hub.join('feed:a', { epoch: 'e1', position: 2 }, late);
  assert.deepEqual(late.heard, ['joined 5', '3', '4', '5']);
  assert.equal(bus.calls.length, reads, 'nothing was read');
  await append(1);
  assert.equal(late.heard[4], '6');
  assert.equal(first.heard.length, 7);
});

test('[HUB-6] [HUB-7] what the ring has not is read once for all, and bridged with the ring', async () => {
  const { bus, clock, hub, append, join } = setUp({ ringMessagesMax: 2 });
  await append(4);
  await join();
  await append(6);
  bus.holding = true;
  const late = [1, 5, 3].map((position) => new Listener().resumed({ epoch: 'e1', position }));
  late.forEach((one) => {
    hub.join('feed:a', { epoch: 'e1', position: one.at }, one);
  });
  await append(1);
  bus.release();
  await clock.advanceSettled(5);
  assert.deepEqual(
    late.map((one) => one.positions.length),
    [10, 6, 8],
  );
  assert.ok(late.every((one) => one.at === 11 && one.joined === 1));
  assert.equal(bus.calls.filter((call) => call.startsWith('history')).length, 1);
});

test('[HUB-6] another epoch, too far behind, or gone: joined at the head, not recovered', async () => {
  const { bus, append, join } = setUp({ replayMessagesMax: 8, ringMessagesMax: 2 });
  bus.kept = 4;
  await append(20);
  const cases = await Promise.all([
    join({ epoch: 'e0', position: 20 }),
    join({ epoch: 'e1', position: 11 }),
    join({ epoch: 'e1', position: 14 }),
    join({ epoch: 'e1', position: 25 }),
  ]);
  for (const one of cases) assert.deepEqual(one.heard, ['joined 20 not recovered']);
  assert.deepEqual((await join({ epoch: 'e1', position: 16 })).positions, [17, 18, 19, 20]);
  assert.deepEqual((await join({ epoch: 'e1', position: 20 })).heard, ['joined 20']);
});

test('[HUB-6] one that knows more than this edge waits for a read, and is recovered by it', async () => {
  const { bus, append, join } = setUp();
  await join();
  await append(2);
  bus.losing = true;
  await append(2);
  const ahead = await join({ epoch: 'e1', position: 4 });
  assert.deepEqual(ahead.heard, ['joined 4']);
});

test('[HUB-2] what comes again is not delivered again', async () => {
  const { bus, append, join } = setUp();
  const listener = await join();
  await append(3);
  const again = (await bus.history('feed:a', 0, 10)).messages;
  for (const message of again) bus.deliver('feed:a', message);
  assert.deepEqual(listener.positions, [1, 2, 3]);
});

test('[HUB-3] a hole is filled from history before what comes after it', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  await append(1);
  bus.losing = true;
  await append(3);
  bus.losing = false;
  bus.holding = true;
  await append(1);
  await clock.advanceSettled(1);
  assert.deepEqual(listener.positions, [1]);
  bus.release();
  await clock.advanceSettled(1);
  assert.deepEqual(listener.positions, [1, 2, 3, 4, 5]);
});

test('[HUB-3] a long hole is read in parts', async () => {
  const { bus, clock, append, join } = setUp({ replayMessagesMax: 10 });
  const listener = await join();
  bus.losing = true;
  await append(35);
  bus.losing = false;
  await append(1);
  await clock.advanceSettled(1);
  assert.equal(listener.at, 36);
});

test('[HUB-4] what history has not kept is told as a gap, and then everything after it', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  bus.kept = 2;
  bus.losing = true;
  await append(6);
  bus.losing = false;
  await append(1);
  await clock.advanceSettled(1);
  assert.deepEqual(listener.heard, ['joined 0', 'gap 5 history_gone', '6', '7']);
});

test('[HUB-4] a message that no read ever brings becomes a gap after healTriesMax reads', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  await append(1);
  bus.deliver('feed:a', { id: 'x', at: 0, data: new Uint8Array(), epoch: 'e1', position: 9 });
  await clock.advanceSettled(60_000);
  assert.deepEqual(listener.heard, ['joined 0', '1', 'gap 9 history_gone']);
});

test('[HUB-5] a new epoch is told with the position it goes on from', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  await append(3);
  bus.loseMemory();
  await append(1);
  await clock.advanceSettled(1);
  assert.deepEqual(listener.heard, ['joined 0', '1', '2', '3', 'gap 0 epoch_changed', '1']);
  assert.equal(listener.epoch, 'e1+');
  await append(1);
  assert.equal(listener.at, 2);
});

test('[HUB-5] a straggler of another epoch changes nothing', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  await append(1);
  bus.deliver('feed:a', { id: 'x', at: 0, data: new Uint8Array(), epoch: 'e0', position: 2 });
  await clock.advanceSettled(1);
  await append(1);
  assert.deepEqual(listener.heard, ['joined 0', '1', '2']);
});

test('[HUB-7] those who join together share a follow, heads of many channels a question', async () => {
  const { bus, clock, hub } = setUp();
  const listeners = Array.from({ length: 600 }, () => new Listener());
  listeners.forEach((one, i) => {
    hub.join(`feed:u${i >> 1}`, null, one);
  });
  await clock.advanceSettled(5);
  assert.ok(listeners.every((one) => one.joined === 1));
  assert.equal(bus.calls.filter((call) => call.startsWith('follow')).length, 300);
  assert.deepEqual(
    bus.calls.filter((call) => call.startsWith('heads')),
    ['heads 256', 'heads 44'],
  );
});

test('[HUB-8] a lost last message comes with the next comparison of heads', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  bus.losing = true;
  await append(2);
  await clock.advanceSettled(hubDefaults.headsEveryMs - 10);
  assert.equal(listener.at, 0);
  await clock.advanceSettled(20);
  assert.deepEqual(listener.positions, [1, 2]);
});

test('[HUB-9] [HUB-5] after an interruption heads are compared at once', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  bus.losing = true;
  await append(2);
  bus.reset('connection replaced');
  await clock.advanceSettled(1);
  assert.deepEqual(listener.positions, [1, 2]);
  bus.loseMemory();
  bus.reset('another server');
  await clock.advanceSettled(1);
  assert.deepEqual(listener.heard.slice(-1), ['gap 0 epoch_changed']);
});

test('[HUB-10] a channel that nobody is on is kept for a while, then not followed', async () => {
  const { bus, clock, hub, append, join } = setUp();
  const listener = await join();
  hub.leave('feed:a', listener);
  await append(2);
  assert.equal(listener.at, 0);
  await clock.advanceSettled(hubDefaults.idleGraceMs - 1_000);
  const back = await join({ epoch: 'e1', position: 0 });
  assert.deepEqual(back.positions, [1, 2]);
  await clock.advanceSettled(hubDefaults.idleGraceMs * 2);
  assert.ok(hub.channel('feed:a') !== null);
  hub.leave('feed:a', back);
  await clock.advanceSettled(hubDefaults.idleGraceMs + 1);
  assert.equal(hub.channel('feed:a'), null);
  assert.equal(bus.calls.filter((call) => call === 'unfollow feed:a').length, 1);
});

test('[HUB-10] also where the first to join went in the very turn of joining', async () => {
  const { clock, hub } = setUp();
  class Hasty extends Listener {
    override onJoined(): void {
      hub.leave('feed:a', this);
    }
  }
  const stays = new Listener();
  hub.join('feed:a', null, new Hasty());
  hub.join('feed:a', null, stays);
  await clock.advanceSettled(hubDefaults.idleGraceMs * 2);
  assert.equal(hub.channel('feed:a')?.subscribers.length, 1);
  hub.leave('feed:a', stays);
  await clock.advanceSettled(hubDefaults.idleGraceMs + 1);
  assert.equal(hub.channel('feed:a'), null);
});

test('[HUB-11] while the bus fails joiners hear it, subscribers wait and miss nothing', async () => {
  const { bus, clock, append, join } = setUp();
  const listener = await join();
  await append(1);
  bus.failing = true;
  assert.deepEqual((await join(null, 'feed:b')).heard, ['failed unavailable']);
  bus.losing = true;
  await append(1);
  bus.losing = false;
  await append(1);
  await clock.advanceSettled(1_000);
  assert.equal(listener.at, 1);
  bus.failing = false;
  await clock.advanceSettled(hubDefaults.retryMaxMs);
  assert.deepEqual(listener.positions, [1, 2, 3]);
  assert.deepEqual((await join(null, 'feed:b')).heard, ['joined 0']);
});

test('a full hub answers unavailable', async () => {
  const { join } = setUp({ channelsMax: 1 });
  await join();
  assert.deepEqual((await join(null, 'feed:b')).heard, ['failed unavailable']);
});

test('[HUB-12] a message is encoded once for each codec', () => {
  const data = new TextEncoder().encode('{"n":1}');
  const item = new LogItem(7, { id: 'i', at: 5, data, epoch: 'e', position: 9 });
  assert.equal(item.frame(jsonCodec), item.frame(jsonCodec));
  assert.equal(item.frame(msgpackCodec), item.frame(msgpackCodec));
  assert.deepEqual(jsonCodec.decodeServer(item.frame(jsonCodec)), {
    t: 'message',
    no: 7,
    position: 9,
    at: 5,
    id: 'i',
    data: { n: 1 },
  });
});

test('[HUB-1] [HUB-2] [HUB-3] [HUB-4] [HUB-6] random faults: each position once, or a gap', async () => {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  const { bus, clock, hub, append, join } = setUp({ ringMessagesMax: 3, replayMessagesMax: 12 });
  let on: Listener[] = [await join()];
  for (let step = 0; step < 1_500; step++) {
    const what = next();
    bus.losing = next() < 0.15;
    bus.failing = next() < 0.05;
    bus.kept = next() < 0.1 ? 3 : 50;
    if (what < 0.5) await append(1 + Math.floor(next() * 3));
    else if (what < 0.6) on.push(await join());
    else if (what < 0.75 && on.length > 0) {
      const gone = on.splice(Math.floor(next() * on.length), 1)[0]!;
      hub.leave('feed:a', gone);
      if (next() < 0.7 && gone.joined > 0) on.push(await join({ epoch: gone.epoch, position: gone.at }));
    } else if (what < 0.77) bus.loseMemory();
    else if (what < 0.8) bus.reset('so it is');
    else await clock.advanceSettled(next() * 200);
    on = on.filter((one) => !one.heard.includes('failed unavailable'));
  }
  bus.losing = false;
  bus.failing = false;
  await append(1);
  await clock.advanceSettled(40_000);
  const { position, epoch } = (await bus.heads(['feed:a']))[0]!;
  for (const one of on)
    assert.deepEqual([one.at, one.epoch, one.joined], [position, epoch, 1], `seed ${seed}`);
});
