import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, seedOf } from './random.fuzz.ts';
import { clipBytes, quote, utf8Length } from './text.ts';

test('lengths in UTF-8 are those of an encoder, and half a surrogate pair has none', () => {
  const seed = seedOf(process.env['SEED']);
  const random = seededRandom(seed);
  const units = [0x20, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff];
  for (let round = 0; round < 5_000; round++) {
    const text = String.fromCharCode(
      ...Array.from({ length: Math.floor(random() * 8) }, () => units[Math.floor(random() * units.length)]!),
    );
    const whole = /^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(text);
    const wanted = whole ? new TextEncoder().encode(text).length : -1;
    assert.equal(utf8Length(text), wanted, `SEED=${seed} ${JSON.stringify(text)}`);
  }
});

test('a sentence is cut to bytes, never within a character', () => {
  assert.equal(clipBytes('short', 123), 'short');
  assert.equal(clipBytes('x'.repeat(123), 123), 'x'.repeat(123));
  assert.equal(clipBytes('x'.repeat(124), 123), `${'x'.repeat(120)}…`);
  for (let bytesMax = 3; bytesMax < 40; bytesMax++) {
    const cut = clipBytes('ä🏏'.repeat(20), bytesMax);
    assert.ok(utf8Length(cut) > 0 && utf8Length(cut) <= bytesMax, cut);
  }
  assert.ok(new TextEncoder().encode(clipBytes('\ud800'.repeat(99), 50)).length <= 50);
});

test('a stranger’s value is shown on one line, bounded, with nothing invisible', () => {
  assert.equal(quote('a"b\n'), '"a\\"b\\n"');
  assert.equal(quote('\u202e\u200b\ufeff\u007f'), '"\\u202e\\u200b\\ufeff\\u007f"');
  assert.equal(quote('x'.repeat(100)), `"${'x'.repeat(40)}…"`);
  assert.ok(quote('\u0000'.repeat(100)).length < 250);
  assert.deepEqual(
    [quote(1.5), quote(null), quote(undefined), quote(false)],
    ['1.5', 'null', 'nothing', 'false'],
  );
  assert.deepEqual(
    [quote([1]), quote({}), quote(new Uint8Array(3)), quote(3n)],
    ['an array of 1', 'an object', 'bytes', '3'],
  );
});
