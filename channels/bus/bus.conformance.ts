import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { seededRandom } from '../random.ts';
import type { Bus, StoredMessage } from './bus.ts';
import { Heard, message, plain, range, text } from './heard.conformance.ts';
import { publishConformance } from './publish.conformance.ts';

/**
 * The laws of bus.ts as tests, for any implementation. `open` gives a bus with these bounds, without
 * messages, and nobody else's: a server that is shared puts a prefix before all names.
 */
export interface BusHarness {
  open(options: BusTestOptions): Promise<BusUnderTest>;
}
export interface BusTestOptions {
  historyMessagesMax: number;
  messageIdsKept: number;
  messageBytesMax: number;
}
export interface BusUnderTest {
  bus: Bus;
  /** Another process's bus on the same transport; the same object where there can be one only. */
  other: Bus;
  /** What was reported to `onError`. */
  errors: unknown[];
  /** The bus as another process would find it later; closes the ones before. */
  reopen(): Promise<Bus>;
  close(): Promise<void>;
}

const options: BusTestOptions = { historyMessagesMax: 10, messageIdsKept: 20, messageBytesMax: 1_000 };
const timeout = 60_000;
export const soonMs = 10_000;

export type Law = (title: string, body: (under: BusUnderTest, t: TestContext) => Promise<void>) => void;

export function busConformance(name: string, harness: BusHarness): void {
  const law: Law = (title, body) => {
    test(`${name}: ${title}`, { timeout }, async (t) => {
      const under = await harness.open(options);
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };
  publishConformance(law);
  appendLaws(law);
  historyLaws(law);
  epochLaws(law);
  endLaws(law);
  randomLaws(law);
}

function appendLaws(law: Law): void {
  law('[BUS-7] positions start at 1 and rise by one, per channel', async ({ bus }) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => bus.append(i % 2 ? 'odd' : 'even', message(`m${i}`))),
    );
    assert.deepEqual(
      answers.map((answer) => answer.position),
      answers.map((_, i) => (i >> 1) + 1),
    );
    assert.equal((await bus.append('odd', message('one more'))).position, 26);
  });

  law('[BUS-8] an id is appended once', async ({ bus, other }) => {
    const heard = new Heard<StoredMessage>();
    await other.follow('c', heard.listen);
    const [first, second, repeat] = await Promise.all([
      bus.append('c', message('a', 'first')),
      bus.append('c', message('b')),
      bus.append('c', message('a', 'again')),
    ]);
    assert.deepEqual([first!.position, second!.position, repeat!.position], [1, 2, 1]);
    assert.equal((await bus.append('c', message('b'))).position, 2);
    assert.equal((await bus.append('another', message('a'))).position, 1);
    for (let n = 3; n <= options.messageIdsKept; n++) await bus.append('c', message(`n${n}`));
    assert.equal((await bus.append('c', message('a'))).position, 1, 'gone from history, still known');
    await heard.until(options.messageIdsKept);
    assert.deepEqual(
      heard.all.map((stored) => stored.position),
      range(1, options.messageIdsKept),
    );
    assert.equal(text(heard.all[0]!), 'first');
  });

  law('[BUS-9] a follower gets everything once, in order, when history has it', async ({ bus, other }) => {
    const heard = new Heard<StoredMessage>();
    const heads: Promise<number>[] = [];
    await bus.append('c', message('before'));
    await other.follow('c', (stored) => {
      heads.push(other.history('c', 0, 0).then(({ head }) => head));
      heard.listen(stored);
    });
    await Promise.all(range(2, 60).map((n) => bus.append('c', message(`m${n}`, `text ${n}`, n))));
    await heard.until(59);
    assert.deepEqual(
      heard.all.map((stored) => stored.position),
      range(2, 60),
    );
    for (const [index, head] of (await Promise.all(heads)).entries()) assert.ok(head >= index + 2);
    const last = heard.all[58]!;
    assert.deepEqual([last.id, last.at, text(last)], ['m60', 60, 'text 60']);
    assert.equal(last.epoch, (await bus.heads(['c']))[0]!.epoch);
  });

  law('[BUS-16] what is out of bounds is refused and not appended', async ({ bus }) => {
    const refused = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;
    const large = { ...message('a'), data: new Uint8Array(options.messageBytesMax + 1) };
    await assert.rejects(bus.append('c', large), refused('record_too_large'));
    await assert.rejects(bus.append('c', message('')), refused('bad_field'));
    await assert.rejects(bus.append('c', message('ü'.repeat(128))), refused('bad_field'));
    await assert.rejects(bus.append('', message('a')), refused('bad_field'));
    await assert.rejects(bus.append('c'.repeat(256), message('a')), refused('bad_field'));
    const most = { ...message('ü'.repeat(127)), data: new Uint8Array(options.messageBytesMax) };
    assert.equal((await bus.append('c', most)).position, 1);
  });
}

function historyLaws(law: Law): void {
  law('[BUS-10] history answers what was missed, with head and first', async ({ bus, other }) => {
    const empty = await other.history('c', 0, 10);
    assert.deepEqual([empty.head, empty.first, empty.messages.length], [0, 1, 0]);
    for (const n of range(1, 8)) await bus.append('c', message(`m${n}`, `t${n}`, n));
    const all = await other.history('c', 0, 100);
    assert.deepEqual(
      all.messages.map((stored) => [stored.position, stored.id, stored.at, text(stored)]),
      range(1, 8).map((n) => [n, `m${n}`, n, `t${n}`]),
    );
    assert.deepEqual([all.head, all.first], [8, 1]);
    const some = await other.history('c', 3, 2);
    assert.deepEqual(
      some.messages.map((stored) => stored.position),
      [4, 5],
    );
    assert.equal((await other.history('c', 8, 10)).messages.length, 0);
    assert.equal((await other.history('c', 80, 10)).messages.length, 0);
    assert.equal((await other.history('c', 0, 0)).head, 8);
    for (const stored of all.messages) assert.equal(stored.epoch, all.epoch);
  });

  law('[BUS-11] a channel keeps its newest messages only', async ({ bus }) => {
    for (const n of range(1, 35)) {
      await bus.append('c', message(`m${n}`));
      const { head, first, messages } = await bus.history('c', 0, 100);
      assert.equal(head, n);
      assert.equal(first, Math.max(1, n - options.historyMessagesMax + 1));
      assert.deepEqual(
        messages.map((stored) => stored.position),
        range(first, head),
      );
    }
  });

  law('[BUS-13] heads come in the order asked', async ({ bus, other }) => {
    await bus.append('a', message('1'));
    await bus.append('b', message('1'));
    await bus.append('b', message('2'));
    const heads = await other.heads(['b', 'none', 'a', 'b']);
    assert.deepEqual(
      heads.map((head) => head.position),
      [2, 0, 1, 2],
    );
    assert.deepEqual(heads[0], heads[3]);
    assert.deepEqual(await other.heads([]), []);
  });

  law('[BUS-14] positions, ids, history and epoch go on after a restart', async (under) => {
    for (const n of range(1, 15)) await under.bus.append('c', message(`m${n}`, `t${n}`));
    const before = await under.bus.history('c', 0, 100);
    const bus = await under.reopen();
    assert.deepEqual(plain(await bus.history('c', 0, 100)), plain(before));
    assert.deepEqual(await bus.append('c', message('m2')), { epoch: before.epoch, position: 2 });
    assert.deepEqual(await bus.append('c', message('m16')), { epoch: before.epoch, position: 16 });
  });
}

function epochLaws(law: Law): void {
  law('[BUS-18] a channel keeps its epoch', async (under) => {
    const { bus, other } = under;
    const heard = new Heard<StoredMessage>();
    await other.follow('c', heard.listen);
    const epochs = [(await bus.heads(['c']))[0]!.epoch, (await other.history('c', 0, 1)).epoch];
    for (const n of range(1, 3)) epochs.push((await bus.append('c', message(`m${n}`))).epoch);
    await heard.until(3);
    const { epoch, messages } = await other.history('c', 0, 10);
    epochs.push(epoch, ...[...heard.all, ...messages].map((stored) => stored.epoch));
    epochs.push((await (await under.reopen()).heads(['c']))[0]!.epoch);
    assert.equal(new Set(epochs).size, 1, epochs.join());
    assert.notEqual(epochs[0], '');
  });
}

function endLaws(law: Law): void {
  law('[BUS-15] without an interruption onReset is not called', async (under) => {
    const resets: string[] = [];
    under.other.onReset((reason) => resets.push(reason));
    const heard = new Heard<Uint8Array>();
    await under.other.subscribe('t', heard.listen);
    await under.bus.append('c', message('1'));
    await under.bus.publish('t', Uint8Array.of(1));
    await heard.until(1);
    assert.deepEqual(resets, []);
  });

  law('[BUS-17] after close every call rejects, and so do open questions', async ({ bus }) => {
    const closed = (error: unknown): boolean => error instanceof ServiceError && !error.retryable;
    await bus.answer('s', () => new Promise(() => undefined));
    const open = bus.ask('s', Uint8Array.of(1), soonMs);
    const ended = assert.rejects(open, closed);
    await bus.close();
    await bus.close();
    await ended;
    const listener = (): void => undefined;
    for (const call of [
      () => bus.publish('t', Uint8Array.of(1)),
      () => bus.subscribe('t', listener),
      () => bus.ask('s', Uint8Array.of(1), soonMs),
      () => bus.answer('s', async () => null),
      () => bus.append('c', message('1')),
      () => bus.follow('c', listener),
      () => bus.history('c', 0, 1),
      () => bus.heads(['c']),
    ]) {
      await assert.rejects(call(), closed);
    }
  });
}

function randomLaws(law: Law): void {
  law('[BUS-7] [BUS-8] [BUS-11] [BUS-14] random use equals a list', async (under, t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const model = new Map<string, string[]>();
    let { bus } = under;
    for (let step = 0; step < 1_500; step++) {
      const channel = `c${pick(4)}`;
      const ids = model.get(channel) ?? [];
      model.set(channel, ids);
      const dice = random();
      if (dice < 0.6) {
        // Mostly new ids, else one that must still be known.
        const known = ids.slice(-options.messageIdsKept);
        const repeat = known.length > 0 && random() < 0.3;
        const id = repeat ? known[pick(known.length)]! : `${step}`;
        if (!repeat) ids.push(id);
        const { position } = await bus.append(channel, message(id, `text ${id}`, step));
        assert.equal(position, ids.indexOf(id) + 1);
      } else if (dice < 0.99) {
        const since = pick(ids.length + 2);
        const limit = pick(15);
        const first = Math.max(1, ids.length - options.historyMessagesMax + 1);
        const history = await bus.history(channel, since, limit);
        assert.deepEqual([history.head, history.first], [ids.length, first]);
        const expected = range(Math.max(first, since + 1), ids.length).slice(0, limit);
        assert.deepEqual(
          history.messages.map((stored) => [stored.position, text(stored)]),
          expected.map((position) => [position, `text ${ids[position - 1]}`]),
        );
      } else {
        bus = await under.reopen();
      }
    }
  });
}
