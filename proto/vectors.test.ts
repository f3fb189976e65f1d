import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Packr, Unpackr } from 'msgpackr';
import { projectRoot } from '../test/project.ts';
import { isClientFrameName } from './client-frame.ts';
import { jsonCodec } from './codec.json.ts';
import { msgpackCodec } from './codec.msgpack.ts';
import type { Codec } from './codec.ts';
import type { CodeName } from './codes.ts';
import { FrameError } from './frame-error.ts';
import { type Frame, frameTable } from './frames.ts';

/** Exactly one of `json` and `msgpack` (hex), except in frames.json. */
interface Message {
  about: string;
  json?: string;
  msgpack?: string;
}
const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(projectRoot, 'proto/vectors', `${name}.json`), 'utf8'));
const frames = read('frames') as { about: string; frame: Frame; json: string; msgpack: string }[];
const badFrames = read('bad-client-frames') as (Message & { code: CodeName; reason: string })[];
const lenient = read('lenient') as (Message & { from: 'client' | 'edge'; frame: Frame | null })[];

const ofHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const ofText = (text: string): Uint8Array => new TextEncoder().encode(text);
const parts = ({ json, msgpack, about }: Message): { codec: Codec; bytes: Uint8Array } => {
  assert.ok((json === undefined) !== (msgpack === undefined), about);
  if (json !== undefined) return { codec: jsonCodec, bytes: ofText(json) };
  return { codec: msgpackCodec, bytes: ofHex(msgpack!) };
};
const decode = (codec: Codec, frame: Frame, bytes: Uint8Array): Frame | null =>
  isClientFrameName(frame.t) ? codec.decodeClient(bytes, codec.binary) : codec.decodeServer(bytes);

test('every frame has at least two vectors, and stands with all its fields in one of them', () => {
  for (const [name, { fields }] of Object.entries(frameTable)) {
    const own = frames.filter(({ frame }) => frame.t === name);
    assert.ok(own.length >= 2, `${name} has ${own.length}`);
    const seen = new Set(own.flatMap(({ frame }) => Object.keys(frame)));
    for (const field of fields) assert.ok(seen.has(field), `no vector has ${name}.${field}`);
  }
});

test('[PR-10] frames are encoded as in the vectors, and the vectors are decoded to the frames', () => {
  for (const { about, frame, json, msgpack } of frames) {
    const where = `${frame.t}: ${about}`;
    assert.equal(new TextDecoder().decode(jsonCodec.encode(frame)), json, where);
    assert.equal(Buffer.from(msgpackCodec.encode(frame)).toString('hex'), msgpack, where);
    assert.deepEqual(decode(jsonCodec, frame, ofText(json)), frame, where);
    assert.deepEqual(decode(msgpackCodec, frame, ofHex(msgpack)), frame, where);
  }
});

test('[PR-9] another library reads the vectors as number and fields, and writes the small ones alike', () => {
  const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
  const packr = new Packr({ useRecords: false, variableMapSize: true });
  for (const { about, frame, msgpack } of frames) {
    const { no, fields } = frameTable[frame.t];
    const values = fields.map((field) => (frame as unknown as Record<string, unknown>)[field]);
    while (values.length > 0 && values.at(-1) === undefined) values.pop();
    const array = [no, ...values.map((value) => value ?? null)];
    assert.deepEqual(unpackr.unpack(ofHex(msgpack)), array, `${frame.t}: ${about}`);
    // It writes integers of 2^32 and above as floats: those it cannot be compared on.
    if (/c[bf]|d3/.test(msgpack)) continue;
    assert.equal(packr.pack(array).toString('hex'), msgpack, `${frame.t}: ${about}`);
  }
});

test('[PR-11] malformed frames are refused with the code and the reason of the vectors', () => {
  for (const bad of badFrames) {
    const { codec, bytes } = parts(bad);
    assert.throws(
      () => codec.decodeClient(bytes, codec.binary),
      (error) => {
        assert.ok(error instanceof FrameError, `${bad.about}: ${error}`);
        assert.equal(error.code, bad.code, bad.about);
        assert.ok(error.message.includes(bad.reason), `${bad.about}: ${error.message}`);
        return true;
      },
    );
  }
});

test('[PR-15] what may be written in more than one way is read in every way', () => {
  for (const one of lenient) {
    const { codec, bytes } = parts(one);
    const decoded =
      one.from === 'client' ? codec.decodeClient(bytes, codec.binary) : codec.decodeServer(bytes);
    assert.deepEqual(decoded, one.frame, one.about);
  }
});
