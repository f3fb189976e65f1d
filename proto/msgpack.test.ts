import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr, Unpackr } from 'msgpackr';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { seededRandom, seedOf } from './random.fuzz.ts';

const seed = seedOf(process.env['SEED']);
const random = seededRandom(seed);
const below = (end: number): number => Math.floor(random() * end);
const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const writer = new MsgpackWriter();
const write = (value: unknown): Uint8Array => {
  writer.value(value);
  return writer.take();
};
const readAll = (bytes: Uint8Array, depthMax = 9): unknown => {
  const reader = new MsgpackReader(bytes, (message) => new Error(message));
  const value = reader.value('it', depthMax);
  reader.end('it');
  return value;
};

function anyValue(depth: number): unknown {
  switch (below(depth === 0 ? 6 : 8)) {
    case 0:
      return [null, true, false][below(3)];
    case 1:
      return Math.floor((random() - 0.5) * 2 ** below(54));
    case 2:
      return (random() - 0.5) * 10 ** (below(600) - 300);
    case 3:
      return 'x'.repeat(below(300));
    case 4:
      return 'aß€🏏'.repeat(below(12)).slice(below(3) * 5);
    case 5:
      return 2 ** below(53) - below(2);
    case 6:
      return Array.from({ length: below(4) === 0 ? below(80) : below(4) }, () => anyValue(depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: below(20) }, (_, i) => [`k${i * 7}`, anyValue(depth - 1)]),
      );
  }
}

test('another library reads what is written, and what it writes is read', () => {
  for (let round = 0; round < 3_000; round++) {
    const value = anyValue(3);
    const where = `SEED=${seed} round ${round}`;
    const bytes = write(value);
    assert.deepEqual(unpackr.unpack(bytes), value, where);
    assert.deepEqual(readAll(bytes), value, where);
    assert.deepEqual(readAll(new Uint8Array(packr.pack(value))), value, where);
  }
});

test('long strings, arrays and maps are written and read', () => {
  const map = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]));
  for (const value of ['x'.repeat(70_000), 'ü'.repeat(70_000), Array(70_000).fill(1), map]) {
    assert.deepEqual(readAll(write(value)), value);
  }
});

test('absent values are left out of maps and nil in arrays, as in JSON', () => {
  const value = { a: undefined, b: [undefined, Number.NaN, Number.POSITIVE_INFINITY], c: -0 };
  assert.deepEqual(readAll(write(value)), JSON.parse(JSON.stringify(value)));
});

test('a field called __proto__ is a field', () => {
  const value = readAll(write(JSON.parse('{"__proto__":{"a":1},"b":2}'))) as object;
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value), ['__proto__', 'b']);
});

test('nesting is bounded, and a length is believed only as far as there are bytes', () => {
  const bytes = new Uint8Array(10).fill(0x91);
  bytes[9] = 1;
  assert.throws(() => readAll(bytes, 8), /nested too deep/);
  assert.ok(readAll(bytes, 9));
  for (const hex of [
    'dc7fff01',
    'ddffffffff01',
    'de7fff01',
    'dfffffffff01',
    'daffff61',
    'dbffffffff61',
    '92',
    '81a161',
  ]) {
    assert.throws(() => readAll(new Uint8Array(Buffer.from(hex, 'hex'))), /ends (within|before) it/, hex);
  }
  assert.throws(() => readAll(new Uint8Array([0x81, 1, 2])), /key of a map in it is not a string/);
});

test('bytes that begin within a larger buffer are read', () => {
  const whole = new Uint8Array([9, 9, ...write({ a: [1.5, 2 ** 40] }), 9]);
  assert.deepEqual(readAll(whole.subarray(2, -1)), { a: [1.5, 2 ** 40] });
});
