import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from './codec.json.ts';
import { msgpackCodec } from './codec.msgpack.ts';
import { encodeRanksMsgpack, ranksBytesMax } from './encode-ranks.ts';
import { seededRandom, seedOf } from './random.fuzz.ts';

test('[PR-38] an own rank of one entry among ten million takes less than 24 bytes', () => {
  const target = new Uint8Array(ranksBytesMax(3));
  const longest = 2 ** 32 - 1;
  const length = encodeRanksMsgpack(target, 65_535, longest, [99, 2 ** 31 - 1, 10_000_000], 3);
  assert.ok(length < 24, `${length} bytes`);
});

test('ranks written into a buffer have the bytes of the codec’s encode', () => {
  const seed = seedOf(process.env['SEED']);
  const random = seededRandom(seed);
  const integer = (): number => {
    const magnitude = Math.floor(2 ** (random() * 53));
    return random() < 0.3 ? -magnitude : magnitude;
  };
  const buffer = new Uint8Array(ranksBytesMax(70_000)).fill(0xee);
  for (let round = 0; round < 3_000; round++) {
    const no = Math.floor(2 ** (random() * 20)) - 1;
    const version = Math.abs(integer());
    const length = round < 4 ? [0, 15, 16, 65_536][round]! : Math.floor(random() * 20);
    const rows = Array.from({ length }, integer);
    for (const codec of [msgpackCodec, jsonCodec]) {
      const written = codec.encodeRanks(buffer, no, version, [...rows, 7, 7], length);
      const wanted = codec.encode({ t: 'ranks', no, version, rows });
      assert.ok(written <= ranksBytesMax(length));
      assert.deepEqual(buffer.slice(0, written), new Uint8Array(wanted), `SEED=${seed} round ${round}`);
    }
  }
});

test('every power of ten and two, and the ends of the safe integers, are written right', () => {
  const rows = [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  for (let power = 1; power < 16; power++)
    rows.push(10 ** power - 1, 10 ** power, -(10 ** power) + 1, -(10 ** power));
  for (let power = 1; power < 53; power++)
    rows.push(2 ** power - 1, 2 ** power, -(2 ** power) + 1, -(2 ** power));
  const buffer = new Uint8Array(ranksBytesMax(rows.length));
  for (const codec of [msgpackCodec, jsonCodec]) {
    const written = codec.encodeRanks(buffer, 1, 2, rows, rows.length);
    assert.deepEqual(codec.decodeServer(buffer.slice(0, written)), { t: 'ranks', no: 1, version: 2, rows });
  }
});

test('a buffer that might be too small is refused', () => {
  for (const codec of [msgpackCodec, jsonCodec]) {
    assert.throws(
      () => codec.encodeRanks(new Uint8Array(ranksBytesMax(3) - 1), 1, 1, [0, 1, 2], 3),
      RangeError,
    );
  }
});
