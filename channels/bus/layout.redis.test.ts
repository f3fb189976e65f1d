import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLayout, slotOf } from './layout.redis.ts';

test('slots are those of Redis Cluster', () => {
  // CRC16("123456789") of the cluster specification, and two keys as CLUSTER KEYSLOT answers.
  assert.equal(slotOf('123456789'), 0x31c3);
  assert.equal(slotOf('foo'), 12_182);
  assert.equal(slotOf(''), 0);
});

test('on a cluster the tags lie evenly over the slots: one in each 256th', () => {
  const layout = createLayout('', true);
  const slots = Array.from({ length: layout.partitions }, (_, partition) => layout.slotOf(partition));
  assert.deepEqual(
    slots.map((slot) => slot >> 6),
    slots.map((_, partition) => partition),
  );
});

test('all keys of a channel carry one tag, and channels are spread evenly over the tags', () => {
  const layout = createLayout('p:', true);
  const counts = new Array<number>(layout.partitions).fill(0);
  for (let user = 0; user < 25_600; user++) {
    const { partition, epoch, stream, ids, phase } = layout.log(`feed:${user}`);
    counts[partition]!++;
    for (const key of [epoch, stream, ids]) {
      const tag = /^p:[a-z_]+:\{(\d+)\}/.exec(key)![1]!;
      assert.equal(slotOf(tag), layout.slotOf(partition));
    }
    assert.ok(phase >= 0 && phase < 1);
  }
  assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, `${counts}`);
});

test('a name with braces in it does not leave its partition', () => {
  const layout = createLayout('', true);
  const { stream, partition } = layout.log('feed:{x}');
  assert.equal(slotOf(/\{([^}]*)\}/.exec(stream)![1]!), layout.slotOf(partition));
});

test('on one server everything has the same tag', () => {
  const layout = createLayout('', false);
  assert.equal(layout.partitions, 1);
  assert.equal(layout.log('feed:1').stream, 'log:{0}:feed:1');
  assert.equal(layout.topic('c:c1').topic, 'topic:{0}:c:c1');
  assert.equal(layout.epochKey(0), 'bus_epoch:{0}');
});
