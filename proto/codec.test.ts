import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr, Unpackr } from 'msgpackr';
import { jsonCodec } from './codec.json.ts';
import { msgpackCodec } from './codec.msgpack.ts';
import { FrameError } from './frame-error.ts';
import type { Frame } from './frames.ts';
import { limits } from './limits.ts';

const codecs = [msgpackCodec, jsonCodec];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const packr = new Packr({ useRecords: false });
const packed = (value: unknown): Uint8Array => new Uint8Array(packr.pack(value));
const refused = (decode: () => unknown, sentence: RegExp): void => {
  assert.throws(decode, (error) => {
    assert.ok(error instanceof FrameError, String(error));
    assert.match(error.message, sentence);
    return true;
  });
};

test('[PR-10] a client’s frame comes back as it was, in both encodings', () => {
  const frames: Frame[] = [
    { t: 'connect', token: 'abc' },
    { t: 'connect', token: 'abc', agent: 'Zuschauer 1.0 – ünï 🏏' },
    { t: 'subscribe', id: 0, channel: 'contest:c1' },
    { t: 'subscribe', id: 4294967295, channel: 'contest:c1', epoch: 'e', since: 9007199254740991 },
    { t: 'unsubscribe', id: 2, channel: 'feed:1003' },
    { t: 'refresh', id: 70000, token: 'x'.repeat(limits.tokenBytesMax) },
    { t: 'ping', id: 1 },
  ];
  for (const codec of codecs) {
    for (const frame of frames) {
      assert.deepEqual(codec.decodeClient(codec.encode(frame), codec.binary), frame);
    }
  }
});

test('[PR-10] an edge’s frame comes back as it was, in both encodings', () => {
  const frames: Frame[] = [
    { t: 'unsubscribed', channel: 'contest:c1', code: 103, message: 'gone' },
    { t: 'unsubscribed', id: 4, channel: 'contest:c1' },
    { t: 'message', no: 1, position: 5, at: 1700000000000, id: 'm1', data: null },
    { t: 'message', no: 1, position: 5, at: 1700000000000, id: 'm1', data: { a: [1.5, -1, null], ü: 'ß' } },
    {
      t: 'players',
      no: 2,
      base: -1,
      version: 3,
      at: 0,
      pointStep: 0.5,
      final: false,
      players: [['p', -4.5]],
    },
    { t: 'entries', no: 2, version: 3, entries: [['e'], ['f', ['a', 'b'], 'a', 'b']] },
    { t: 'ranks', no: 2, version: 2 ** 40, rows: [0, -70000, 1, 20, 2 ** 45, 10_000_000] },
  ];
  for (const codec of codecs) {
    for (const frame of frames) assert.deepEqual(codec.decodeServer(codec.encode(frame)), frame);
  }
});

test('[PR-15] a frame and a field that a client does not know are ignored', () => {
  assert.equal(jsonCodec.decodeServer(json({ t: 'later', no: 1 })), null);
  assert.equal(jsonCodec.decodeServer(json({ t: 'ping', id: 1 })), null);
  assert.deepEqual(jsonCodec.decodeServer(json({ t: 'move', withinMs: 5, why: 'x' })), {
    t: 'move',
    withinMs: 5,
  });
  assert.equal(msgpackCodec.decodeServer(packed([99, 1])), null);
  assert.equal(msgpackCodec.decodeServer(packed([5, 1])), null);
  assert.deepEqual(msgpackCodec.decodeServer(packed([39, 5, 'x'])), { t: 'move', withinMs: 5 });
});

test('[PR-9] every safe integer is an integer on the wire, and any library reads it', () => {
  const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
  for (let power = 0; power <= 53; power++) {
    for (const near of [-1, 0, 1]) {
      for (const sign of [-1, 1]) {
        const value = sign * (2 ** power + near);
        if (!Number.isSafeInteger(value)) continue;
        const bytes = msgpackCodec.encode({ t: 'ranks', no: 1, version: 1, rows: [value] });
        assert.notEqual(bytes[4], 0xcb, `${value} is written as a float`);
        assert.deepEqual(unpackr.unpack(bytes), [44, 1, 1, [value + 0]]);
        assert.deepEqual(msgpackCodec.decodeServer(bytes), {
          t: 'ranks',
          no: 1,
          version: 1,
          rows: [value + 0],
        });
      }
    }
  }
});

test('[PR-11] what one codec refuses the other refuses, with the field’s name', () => {
  const cases: [object, unknown[], RegExp][] = [
    [{ t: 'connect' }, [1], /connect\.token is missing/],
    [{ t: 'connect', token: null }, [1, null], /connect\.token is missing/],
    [{ t: 'connect', token: '' }, [1, ''], /connect\.token must not be empty/],
    [{ t: 'connect', token: 5 }, [1, 5], /connect\.token must be a string, not 5/],
    [{ t: 'connect', token: 'x'.repeat(8193) }, [1, 'x'.repeat(8193)], /at most 8192 bytes, not 8193/],
    [
      { t: 'connect', token: 'x', agent: 'ü'.repeat(65) },
      [1, 'x', 'ü'.repeat(65)],
      /agent.*128 bytes, not 130/,
    ],
    [{ t: 'ping', id: -1 }, [5, -1], /ping\.id must be an integer from 0 to 4294967295, not -1/],
    [{ t: 'ping', id: 1.5 }, [5, 1.5], /ping\.id .* not 1\.5/],
    [{ t: 'ping', id: 2 ** 32 }, [5, 2 ** 32], /ping\.id .* not 4294967296/],
    [{ t: 'ping', id: '1' }, [5, '1'], /ping\.id .* not "1"/],
    [{ t: 'ping', id: true }, [5, true], /ping\.id .* not true/],
    [{ t: 'subscribe', id: 1, channel: 'c', epoch: 'e' }, [2, 1, 'c', 'e'], /come together/],
    [{ t: 'subscribe', id: 1, channel: 'c', since: 0 }, [2, 1, 'c', null, 0], /come together/],
    [
      { t: 'subscribe', id: 1, channel: 'c'.repeat(65) },
      [2, 1, 'c'.repeat(65)],
      /channel .* 64 bytes, not 65/,
    ],
    [{ t: 'connected', protocol: 1 }, [32, 1], /No frame of a client has the n/],
    [{ t: 'nonsense' }, [77], /No frame of a client has the n/],
    [{ t: 'constructor' }, ['constructor'], /No frame of a client has the n/],
    [{ t: 7 }, [null], /No frame of a client has the n/],
  ];
  for (const [object, array, sentence] of cases) {
    refused(() => jsonCodec.decodeClient(json(object), false), sentence);
    refused(() => msgpackCodec.decodeClient(packed(array), true), sentence);
  }
});

test('[PR-11] what only one encoding can get wrong', () => {
  const asJson = (source: string) => () => jsonCodec.decodeClient(new TextEncoder().encode(source), false);
  const asHex = (hex: string) => () =>
    msgpackCodec.decodeClient(new Uint8Array(Buffer.from(hex, 'hex')), true);
  refused(asJson(''), /not JSON/);
  refused(asJson('\ufeff{"t":"ping","id":1}'), /not JSON/);
  refused(asJson('[]'), /must be a JSON object, not an array of 0/);
  refused(asJson('null'), /must be a JSON object, not null/);
  refused(asJson('{}'), /name, t, is missing/);
  refused(asJson('{"t":"ping","id":1,"x":2}'), /ping has no field "x"/);
  refused(asJson('{"t":"ping","id":1,"__proto__":{}}'), /ping has no field "__proto__"/);
  refused(asJson('{"__proto__":{"t":"ping","id":1}}'), /name, t, is missing/);
  refused(asJson('{"t":"ping","id":{"a":1}}'), /not an object/);
  refused(asJson('{"t":"connect","token":"\\ud800"}'), /half a surrogate pair/);
  refused(asJson('['.repeat(16_000)), /not JSON/);
  refused(() => jsonCodec.decodeClient(new Uint8Array([0x22, 0xc3, 0x28, 0x22])), /not valid UTF-8/);
  refused(asHex(''), /ends before the frame/);
  refused(asHex('90'), /array is empty/);
  refused(asHex('80'), /must be a MessagePack array, not a map/);
  refused(asHex('c0'), /not nil/);
  refused(asHex('9305'), /ends within the frame/);
  refused(asHex('930501'), /ends within the frame/);
  refused(asHex('93050102'), /ping has 1 fields at most, not 2/);
  refused(asHex('92050100'), /1 bytes follow the frame ping/);
  refused(asHex('920591'), /ping\.id must be a string or a number, not an array/);
  refused(asHex('9205c0'), /ping\.id is missing/);
  refused(asHex('9205c1'), /byte c1/);
  refused(asHex('9205cb7ff8000000000000'), /ping\.id .* not NaN/);
  refused(asHex('9205cfffffffffffffffff'), /ping\.id .* not 18446744073709552000/);
  refused(asHex('9201a2c328'), /connect\.token is not valid UTF-8/);
  refused(asHex('9201c40161'), /connect\.token must be a string or a number, not bytes/);
  refused(asHex('9201d4ff00'), /not an extension/);
  refused(asHex('9201d92061'), /ends within connect\.token/);
  refused(asHex('ddffffffff'), /ends within the frame/);
});

test('integers may come as floats that hold whole numbers', () => {
  const bytes = new Uint8Array(Buffer.from('9205cb4014000000000000', 'hex'));
  assert.deepEqual(msgpackCodec.decodeClient(bytes), { t: 'ping', id: 5 });
  assert.deepEqual(jsonCodec.decodeClient(json({ t: 'ping', id: -0 })), { t: 'ping', id: 0 });
});

test('[PR-12] [PR-13] a long frame has a code of its own; a message of the other type is refused', () => {
  for (const codec of codecs) {
    const long = new Uint8Array(limits.frameBytesMax + 1);
    assert.throws(
      () => codec.decodeClient(long),
      (error) =>
        error instanceof FrameError && error.code === 'frame_too_large' && /16385/.test(error.message),
    );
    refused(() => codec.decodeClient(codec.encode({ t: 'ping', id: 1 }), !codec.binary), /messages, not/);
  }
});

test('encoding never hands out the same bytes twice, and JSON names the frame first', () => {
  const first = msgpackCodec.encode({ t: 'move', withinMs: 1 });
  msgpackCodec.encode({ t: 'move', withinMs: 2 });
  assert.deepEqual([...first], [0x92, 39, 1]);
  assert.equal(text(jsonCodec.encode({ withinMs: 1, t: 'move' })), '{"t":"move","withinMs":1}');
});

test('a frame that cannot be encoded leaves nothing behind', () => {
  const bad = { t: 'message', no: 1, position: 1, at: 1, id: 'a', data: 1n } as const;
  assert.throws(() => msgpackCodec.encode(bad), TypeError);
  assert.deepEqual([...msgpackCodec.encode({ t: 'move', withinMs: 1 })], [0x92, 39, 1]);
});
