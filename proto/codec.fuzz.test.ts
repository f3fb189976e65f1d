import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from './codec.json.ts';
import { msgpackCodec } from './codec.msgpack.ts';
import type { Codec } from './codec.ts';
import { FrameError } from './frame-error.ts';
import type { ClientFrame, Frame } from './frames.ts';
import { seededRandom, seedOf } from './random.fuzz.ts';

const seed = seedOf(process.env['SEED']);
const random = seededRandom(seed);
const below = (end: number): number => Math.floor(random() * end);
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;

const texts = ['', 'a', 'contest:c1', 'ü🏏', '__proto__', 'x'.repeat(31), 'x'.repeat(32), 'y'.repeat(300)];
const integers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

function clientFrame(): ClientFrame {
  const id = pick(integers);
  switch (below(5)) {
    case 0:
      return { t: 'connect', token: pick(texts), agent: pick(texts) };
    case 1:
      return { t: 'subscribe', id, channel: pick(texts), epoch: pick(texts), since: pick(integers) };
    case 2:
      return { t: 'unsubscribe', id, channel: pick(texts) };
    case 3:
      return { t: 'refresh', id, token: pick(texts) };
    default:
      return { t: 'ping', id };
  }
}

function jsonValue(depth: number): unknown {
  switch (below(depth === 0 ? 5 : 7)) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return pick(integers) * (random() < 0.5 ? 1 : -1) + 0;
    case 3:
      return (random() - 0.5) * 10 ** below(20);
    case 4:
      return pick(texts);
    case 5:
      return Array.from({ length: below(20) }, () => jsonValue(depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: below(20) }, (_, i) => [pick(texts) + i, jsonValue(depth - 1)]),
      );
  }
}

function serverFrame(): Frame {
  return { t: 'message', no: 1, position: pick(integers), at: 0, id: 'm', data: jsonValue(3) };
}

/** Flips, cuts, doubles, inserts. */
function mutated(bytes: Uint8Array): Uint8Array {
  let mutant = [...bytes];
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(mutant.length + 1);
    switch (below(5)) {
      case 0:
        mutant[at] = below(256);
        break;
      case 1:
        mutant = mutant.slice(0, at);
        break;
      case 2:
        mutant.splice(at, 0, below(256));
        break;
      case 3:
        mutant.splice(at, below(4));
        break;
      default:
        mutant.splice(at, 0, ...mutant.slice(below(at + 1), at));
    }
  }
  return new Uint8Array(mutant.slice(0, 20_000));
}

/** Either a frame, which then survives encoding and decoding, or a FrameError with a bounded sentence. */
function tryClient(codec: Codec, bytes: Uint8Array): boolean {
  let frame: ClientFrame;
  try {
    frame = codec.decodeClient(bytes, codec.binary);
  } catch (error) {
    const shown = `SEED=${seed} ${codec.subprotocol} ${Buffer.from(bytes).toString('hex')}`;
    assert.ok(error instanceof FrameError, `${shown}: ${error}`);
    assert.ok(error.message.length > 10 && error.message.length < 300, `${shown}: ${error.message}`);
    assert.doesNotMatch(error.message, /\p{Cc}/u, shown);
    return false;
  }
  assert.deepEqual(codec.decodeClient(codec.encode(frame)), frame, `SEED=${seed}`);
  return true;
}

function tryServer(codec: Codec, bytes: Uint8Array): void {
  try {
    codec.decodeServer(bytes);
  } catch (error) {
    assert.ok(error instanceof FrameError, `SEED=${seed} ${Buffer.from(bytes).toString('hex')}: ${error}`);
  }
}

const rounds = 20_000;
for (const codec of [msgpackCodec, jsonCodec]) {
  test(`[PR-11] ${codec.subprotocol}: mutated frames give frames or FrameErrors, nothing else`, (t) => {
    let taken = 0;
    for (let i = 0; i < rounds; i++) if (tryClient(codec, mutated(codec.encode(clientFrame())))) taken++;
    t.diagnostic(`SEED=${seed}: ${taken} of ${rounds} mutants were frames still`);
    for (let i = 0; i < rounds / 10; i++) tryServer(codec, mutated(codec.encode(serverFrame())));
  });

  test(`[PR-11] ${codec.subprotocol}: random bytes give frames or FrameErrors, nothing else`, () => {
    for (let i = 0; i < rounds; i++) {
      const bytes = Uint8Array.from({ length: below(40) }, () => below(256));
      if (codec.binary && bytes.length > 1 && random() < 0.8) {
        bytes[0] = 0x91 + below(6);
        bytes[1] = 1 + below(6);
      }
      tryClient(codec, bytes);
      tryServer(codec, bytes);
    }
  });

  test(`${codec.subprotocol}: any JSON value passes through a message unchanged`, () => {
    for (let i = 0; i < 500; i++) {
      const frame = serverFrame();
      const data = JSON.stringify((frame as { data: unknown }).data);
      const read = codec.decodeServer(codec.encode(frame));
      assert.equal(JSON.stringify((read as { data: unknown }).data), data, `SEED=${seed}`);
    }
  });
}
