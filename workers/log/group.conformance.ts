import assert from 'node:assert/strict';
import { seededRandom } from '../../channels/random.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Law } from './log.conformance.ts';
import type { Batch } from './log.ts';
import {
  anyOf,
  appendNumbers,
  encode,
  join,
  keysOf,
  later,
  type Member,
  numbers,
  readAll,
  seedOf,
  sorted,
  spread,
  text,
  textsOf,
  Wake,
} from './member.conformance.ts';

/** The laws of log.ts for those who consume. */
export function groupConformance(law: Law): void {
  shareLaws(law);
  batchLaws(law);
  offsetLaws(law);
  commitLaws(law);
  partLaws(law);
  handoverLaws(law);
  randomMembers(law);
}

function shareLaws(law: Law): void {
  law('[LOG-7] [LOG-11] every group gets every record from the oldest on', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 50);
    const one = await join(log, { group: 'one' });
    const two = await join(log, { group: 'two' });
    await one.until(() => one.count() === 50);
    await appendNumbers(log, 'events', 50, 80);
    for (const member of [one, two]) {
      await member.until(() => member.count() === 80);
      assert.deepEqual(sorted(member.all()), numbers(0, 80).sort());
      await member.close();
    }
  });

  law('[LOG-7] partitions are shared evenly and never with two members', async ({ log }) => {
    const holders = new Map<number, Member>();
    const members = [await join(log, { group: 'g', holders })];
    await members[0]!.until(() => members[0]!.held.size === 4);
    for (const size of [2, 3, 4, 5]) {
      members.push(await join(log, { group: 'g', holders }));
      const settled = () =>
        holders.size === 4 && spread(members) <= 1 && members.every((m) => m.held.size <= 4);
      await anyOf(members, settled);
      assert.equal(members.length, size);
    }
    while (members.length > 1) {
      await members.shift()!.close();
      await anyOf(members, () => holders.size === 4 && spread(members) <= 1);
    }
    await members[0]!.close();
    assert.equal(holders.size, 0);
  });
}

function batchLaws(law: Law): void {
  law('[LOG-8] batches come one at a time, in order, bounded by batchMax', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 500);
    const running = new Set<number>();
    const member = await join(log, {
      group: 'g',
      batchMax: 7,
      async onBatch(batch) {
        assert.ok(!running.has(batch.partition), 'two batches of a partition at once');
        assert.ok(batch.records.length >= 1 && batch.records.length <= 7);
        running.add(batch.partition);
        await later();
        running.delete(batch.partition);
      },
    });
    await member.until(() => member.count() === 500);
    await member.close();
    for (let partition = 0; partition < 4; partition++) {
      const records = await readAll(log, 'events', partition);
      assert.deepEqual(member.of(partition), textsOf(records));
    }
    assert.deepEqual(member.errors, []);
  });

  law(
    '[LOG-9] a rejected batch comes again from the same record, other partitions go on',
    async ({ log }) => {
      const keys = keysOf(log, 'events');
      await log.append('events', [text(keys[0]!, 'a'), text(keys[0]!, 'b'), text(keys[1]!, 'c')]);
      const tries: string[][] = [];
      const member = await join(log, {
        group: 'g',
        async onBatch(batch) {
          if (batch.partition !== 0) return;
          tries.push(textsOf(batch.records));
          if (tries.length <= 3) throw new Error(`try ${tries.length}`);
        },
      });
      await member.until(() => member.count() === 3);
      assert.deepEqual(member.of(0), ['a', 'b']);
      assert.deepEqual(member.of(1), ['c']);
      for (const texts of tries) assert.equal(texts[0], 'a');
      assert.deepEqual(
        member.errors.map((error) => (error as Error).message),
        ['try 1', 'try 2', 'try 3'],
      );
      await member.close();
    },
  );

  law('[LOG-11] a member is told where its group is', async ({ log }) => {
    const places = await log.append('single', [text('k', '1'), text('k', '2')]);
    const told: (number | null)[] = [];
    const onAssign = async (_: number, committed: number | null) => {
      return told.push(committed) > 0 ? 'committed' : 0;
    };
    const options = { group: 'g', topic: 'single', onAssign, onBatch: (batch: Batch) => batch.commit() };
    const first = await join(log, options);
    await first.until(() => first.count() === 2);
    await first.close();
    const second = await join(log, options);
    await second.until(() => told.length === 2);
    await second.close();
    assert.deepEqual(told, [null, places[1]!.offset + 1]);
  });

  law('[LOG-9] a rejected onAssign is tried again', async ({ log }) => {
    await log.append('single', [text('k', '1')]);
    let tries = 0;
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onAssign() {
        if (++tries < 3) throw new Error('not yet');
        return 'committed';
      },
    });
    await member.until(() => member.count() === 1);
    assert.equal(tries, 3);
    assert.equal(member.errors.length, 2);
    await member.close();
  });
}

function offsetLaws(law: Law): void {
  law('[LOG-11] an offset of the member’s own is honoured', async ({ log }) => {
    const places = await log.append(
      'single',
      numbers(0, 10).map((n) => text('k', n)),
    );
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      onAssign: async () => places[6]!.offset,
    });
    await member.until(() => member.count() === 4);
    assert.deepEqual(member.all(), ['6', '7', '8', '9']);
    await member.close();
  });

  law('[LOG-12] an offset beyond the end begins at the oldest, and is told', async ({ log }) => {
    await log.append('single', [text('k', '1'), text('k', '2')]);
    const member = await join(log, { group: 'g', topic: 'single', onAssign: async () => 1_000 });
    await member.until(() => member.count() === 2);
    assert.deepEqual(member.all(), ['1', '2']);
    assert.equal(member.errors.length, 1);
    assert.match(String(member.errors[0]), /1000/);
    await member.close();
  });

  law('[LOG-16] an append wakes a waiting consumer', async ({ log }) => {
    const member = await join(log, { group: 'g', topic: 'single' });
    await member.until(() => member.held.size === 1);
    for (let n = 0; n < 20; n++) {
      await log.append('single', [text('k', String(n))]);
      await member.until(() => member.count() === n + 1);
    }
    await member.close();
  });
}

function commitLaws(law: Law): void {
  law('[LOG-10] [LOG-11] a group goes on where it committed, after a restart too', async (under) => {
    await appendNumbers(under.log, 'single', 0, 10);
    const first = await join(under.log, {
      group: 'g',
      topic: 'single',
      batchMax: 4,
      async onBatch(batch) {
        if (batch.records[0]!.offset === 0) await batch.commit();
      },
    });
    await first.until(() => first.count() === 10);
    await first.close();
    const second = await join(under.log, { group: 'g', topic: 'single' });
    await second.until(() => second.count() === 6);
    assert.deepEqual(second.all(), numbers(4, 10));
    await second.close();
    const log = await under.reopen();
    const third = await join(log, { group: 'g', topic: 'single' });
    await third.until(() => third.count() === 6);
    assert.deepEqual(third.all(), numbers(4, 10));
    await third.close();
  });

  law('[LOG-10] outputs and the offset stand together', async (under) => {
    await appendNumbers(under.log, 'single', 0, 5);
    const member = await join(under.log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        const outputs = batch.records.map((record) => ({ topic: 'outputs', key: 'o', value: record.value }));
        await batch.commit(outputs);
      },
    });
    await member.until(() => member.count() === 5);
    await member.close();
    const log = await under.reopen();
    const partition = log.partitionOf('outputs', 'o');
    assert.deepEqual(textsOf(await readAll(log, 'outputs', partition)), numbers(0, 5));
  });

  law('[LOG-10] a refused output leaves the offset where it was', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 3);
    let tries = 0;
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        tries++;
        const topic = tries === 1 ? 'nowhere' : 'outputs';
        await batch.commit([
          { topic: 'outputs', key: 'o', value: encode('good') },
          { topic, key: 'o', value: encode('other') },
        ]);
      },
    });
    await member.until(() => member.count() === 3);
    await member.close();
    assert.equal(tries, 2);
    assert.deepEqual(textsOf(await readAll(log, 'outputs', log.partitionOf('outputs', 'o'))), [
      'good',
      'other',
    ]);
  });
}

function partLaws(law: Law): void {
  law('[LOG-8] [LOG-10] a part of a batch can be committed; the rest comes again', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 6);
    const batches: string[][] = [];
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        batches.push(textsOf(batch.records));
        await batch.commit([], batch.records[Math.min(1, batch.records.length - 1)]!.offset + 1);
      },
    });
    await member.until(() => batches.length === 3);
    await member.close();
    assert.deepEqual(
      batches.map((batch) => batch[0]),
      ['0', '2', '4'],
    );
  });

  law('[LOG-9] what was committed before a rejection does not come again', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 4);
    const batches: string[][] = [];
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      batchMax: 2,
      async onBatch(batch) {
        batches.push(textsOf(batch.records));
        await batch.commit();
        if (batches.length === 1) throw new Error('after the commit');
      },
    });
    await member.until(() => batches.length === 2);
    await member.close();
    assert.deepEqual(batches, [
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  law('[LOG-14] a batch that has ended cannot be committed', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 2);
    const kept: Batch[] = [];
    const onBatch = async (batch: Batch) => {
      if (batch.ours()) kept.push(batch);
    };
    const member = await join(log, { group: 'g', topic: 'single', onBatch });
    await member.until(() => member.count() === 2);
    await member.close();
    assert.equal(kept[0]!.ours(), false);
    const late = kept[0]!.commit([{ topic: 'outputs', key: 'o', value: encode('late') }]);
    await assert.rejects(late, ServiceError);
    assert.deepEqual(await readAll(log, 'outputs', log.partitionOf('outputs', 'o')), []);
    const again = await join(log, { group: 'g', topic: 'single' });
    await again.until(() => again.count() === 2);
    await again.close();
  });
}

function handoverLaws(law: Law): void {
  law('[LOG-13] a partition changes hands after the batch under way has ended', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 40);
    const events: string[] = [];
    const gates = new Map<number, () => void>();
    const one = await join(log, {
      group: 'g',
      onBatch: (batch) => new Promise<void>((resolve) => gates.set(batch.partition, resolve)),
      onRevoke: (partition) => events.push(`one gives ${partition}`),
    });
    await one.until(() => one.started === 4);
    const two = await join(log, {
      group: 'g',
      onAssign: async (partition) => {
        events.push(`two takes ${partition}`);
        return 'committed';
      },
    });
    await later();
    assert.equal(events.length, 0, 'handed over during a batch');
    for (const open of gates.values()) open();
    await two.until(() => two.held.size === 2);
    for (const partition of two.held) {
      assert.ok(events.indexOf(`one gives ${partition}`) < events.indexOf(`two takes ${partition}`));
      assert.ok(events.includes(`one gives ${partition}`));
    }
    await Promise.all([one.close(), two.close()]);
  });

  law('[LOG-13] close of a consumer gives up all it has', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 40);
    const one = await join(log, { group: 'g', onBatch: (batch) => batch.commit() });
    await one.until(() => one.count() === 40);
    await one.close();
    assert.equal(one.held.size, 0);
    await appendNumbers(log, 'events', 40, 60);
    const two = await join(log, { group: 'g' });
    await two.until(() => two.count() === 20);
    assert.equal(one.count(), 40);
    await two.close();
  });
}

function randomMembers(law: Law): void {
  law(
    '[LOG-7] [LOG-8] [LOG-10] members that come, go and fail lose and double nothing',
    async ({ log }, t) => {
      const random = seededRandom(seedOf(t));
      const seen: string[][] = [[], [], [], []];
      let members: Member[] = [];
      const wake = new Wake();
      const add = async () => {
        const member = await join(log, {
          group: 'g',
          batchMax: 1 + Math.floor(random() * 20),
          async onBatch(batch) {
            if (random() < 0.2) throw new Error('a fault before the commit');
            await batch.commit();
            seen[batch.partition]!.push(...textsOf(batch.records));
            wake.all();
            if (random() < 0.2) throw new Error('a fault after the commit');
          },
        });
        members.push(member);
      };
      for (let step = 0; step < 60; step++) {
        const dice = random();
        if (dice < 0.6) await appendNumbers(log, 'events', step * 20, step * 20 + 20);
        else if (dice < 0.8 || members.length === 0) await add();
        else {
          const [leaving] = members.splice(Math.floor(random() * members.length), 1);
          await leaving!.close();
        }
      }
      if (members.length === 0) await add();
      const logged = await Promise.all([0, 1, 2, 3].map((partition) => readAll(log, 'events', partition)));
      await wake.until(() => seen.every((texts, partition) => texts.length >= logged[partition]!.length));
      for (const member of members) await member.close();
      members = [];
      assert.deepEqual(seen, logged.map(textsOf));
    },
  );
}
