import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelIdBytesMax, parseChannel } from './name.ts';

test('a name is a kind, a colon and an id', () => {
  assert.deepEqual(parseChannel('contest:c1'), {
    name: 'contest:c1',
    kind: 'contest',
    id: 'c1',
    class: 'state',
  });
  const kinds = ['contest:a', 'match:a', 'feed:a', 'user:a'].map((name) => {
    const parsed = parseChannel(name);
    return typeof parsed === 'string' ? parsed : `${parsed.kind} ${parsed.class}`;
  });
  assert.deepEqual(kinds, ['contest state', 'match state', 'feed log', 'user log']);
});

test('an id has 1 to 36 of the letters, digits, _ and -', () => {
  const long = 'aZ0_-'.repeat(8).slice(0, channelIdBytesMax);
  assert.equal(typeof parseChannel(`feed:${long}`), 'object');
  assert.match(String(parseChannel(`feed:${long}x`)), /id of 37 characters; at most 36/);
});

test('each wrong name has a sentence that says what is wrong and where', () => {
  const cases: [string, RegExp][] = [
    ['', /has no colon/],
    ['contest', /has no colon/],
    ['contest:', /has no id/],
    ['room:1', /no known kind/],
    ['Contest:1', /no known kind/],
    ['toString:1', /no known kind/],
    [':1', /no known kind/],
    ['contest:a b', /character at 9 /],
    ['contest:a:b', /character at 9 /],
    ['match:ü', /character at 6 /],
    ['user:a\n', /character at 6 /],
    ['feed:{a}', /character at 5 /],
  ];
  for (const [name, sentence] of cases) assert.match(String(parseChannel(name)), sentence, name);
  assert.ok(String(parseChannel('x'.repeat(5_000))).length < 200);
});
