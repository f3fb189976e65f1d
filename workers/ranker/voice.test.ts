import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import { createVoice } from './voice.ts';

const bytes = new Uint8Array(1);

function create(replica: number, keptBackMax = 4) {
  const clock = createManualClock(0);
  const said: string[] = [];
  const firsts: string[] = [];
  let version = 0;
  const versions = new Map<Uint8Array, number>();
  const voice = createVoice({
    replica,
    clock,
    takeoverMs: 1_000,
    keptBackMax,
    publish: async (channel, frame) => {
      said.push(`${channel} ${versions.get(frame)}`);
    },
    onFirst: (channel) => firsts.push(channel),
    onTakeover: () => undefined,
  });
  return {
    clock,
    said,
    firsts,
    voice,
    say(channel: string) {
      version += 1;
      const frame = new Uint8Array(bytes);
      versions.set(frame, version);
      void voice.say(channel, version, frame);
      return version;
    },
  };
}

test('replica 0 says everything, and never listens', () => {
  const { said, firsts, voice, say } = create(0);
  say('c:a');
  voice.headsHeard(1, [['c:a', 9]]);
  say('c:a');
  assert.deepEqual(said, ['c:a 1', 'c:a 2']);
  assert.deepEqual(firsts, []);
  assert.equal(voice.speaks('c:never'), true);
});

test('another keeps back what is heard from somebody within the second', () => {
  const { clock, said, firsts, voice, say } = create(1);
  for (let i = 0; i < 10; i += 1) {
    const version = say('c:a');
    clock.advance(400);
    voice.heard('c:a', version);
    voice.check();
  }
  assert.deepEqual(said, []);
  assert.deepEqual(firsts, ['c:a']);
  assert.equal(voice.speaks('c:a'), false);
});

test('a frame that somebody said before it was made here is not kept', () => {
  const { clock, said, voice, say } = create(1);
  say('c:a');
  voice.heard('c:a', 2);
  say('c:a');
  clock.advance(5_000);
  voice.check();
  assert.deepEqual(said, []);
});

test('silence of a second makes it speak for that channel, from the oldest frame not heard', () => {
  const { clock, said, voice, say } = create(1);
  say('c:a');
  say('c:b');
  voice.heard('c:a', 1);
  voice.heard('c:b', 2);
  say('c:a');
  clock.advance(999);
  say('c:a');
  voice.check();
  assert.deepEqual(said, []);
  clock.advance(1);
  voice.check();
  assert.deepEqual(said, ['c:a 3', 'c:a 4']);
  say('c:a');
  assert.deepEqual(said.at(-1), 'c:a 5');
  assert.equal(voice.speaks('c:b'), false);
});

test('heads of a lower replica that cover what it said make it silent, no others', () => {
  const { clock, said, voice, say } = create(2);
  say('c:a');
  clock.advance(1_000);
  voice.check();
  say('c:a');
  voice.headsHeard(3, [['c:a', 9]]);
  voice.headsHeard(2, [['c:a', 9]]);
  voice.headsHeard(0, [['c:a', 1]]);
  assert.equal(voice.speaks('c:a'), true);
  voice.headsHeard(1, [['c:a', 2]]);
  assert.equal(voice.speaks('c:a'), false);
  say('c:a');
  assert.deepEqual(said, ['c:a 1', 'c:a 2']);
});

test('what is kept back is bounded: the oldest goes', () => {
  const { clock, said, voice, say } = create(1, 3);
  for (let i = 0; i < 10; i += 1) say('c:a');
  clock.advance(1_000);
  voice.check();
  assert.deepEqual(said, ['c:a 8', 'c:a 9', 'c:a 10']);
});

test('a channel that is forgotten begins anew, in silence', () => {
  const { clock, said, firsts, voice, say } = create(1);
  say('c:a');
  clock.advance(1_000);
  voice.check();
  voice.forget('c:a');
  say('c:a');
  assert.deepEqual(said, ['c:a 1']);
  assert.deepEqual(firsts, ['c:a', 'c:a']);
});
