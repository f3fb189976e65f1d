import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHeadsBook } from './heads-book.ts';

const parts = {
  partition: 3,
  replica: 1,
  changedWithinMs: 60_000,
  rotationMs: 10_000,
  intervalMs: 1_000,
  namesMax: 4,
};
const all = (): boolean => true;

test('changed within a minute: in every message; all wanted ones: within ten seconds', () => {
  const book = createHeadsBook({ ...parts, namesMax: 1_000 });
  for (let i = 0; i < 25; i += 1) book.moved('contest', `old${i}`, i, 0);
  book.moved('match', 'm', 7, 0);
  for (let second = 0; second < 59; second += 1) {
    assert.equal(book.messages(second * 1_000, 30, all)[0]!.contests.length, 25, 'all are new');
  }
  book.moved('match', 'm', 8, 60_000);
  const seen = new Map<string, number>();
  for (let second = 60; second < 70; second += 1) {
    const [message] = book.messages(second * 1_000, 31, all);
    assert.deepEqual(message!.matches, [['m', 8]]);
    assert.deepEqual([message!.partition, message!.replica, message!.version], [3, 1, 31]);
    assert.ok(message!.contests.length <= 3);
    for (const [id, version] of message!.contests) seen.set(id, version);
  }
  assert.equal(seen.size, 25);
  assert.equal(seen.get('old9'), 9);
});

test('more names than a message takes go into further ones', () => {
  const book = createHeadsBook(parts);
  for (let i = 0; i < 6; i += 1) book.moved('contest', `c${i}`, i, 0);
  for (let i = 0; i < 4; i += 1) book.moved('match', `m${i}`, i, 0);
  const messages = book.messages(0, 9, all);
  assert.deepEqual(
    messages.map(({ contests, matches }) => contests.length + matches.length),
    [4, 4, 2],
  );
});

test('what is forgotten or not this replica’s to tell is left out; nothing left is no message', () => {
  const book = createHeadsBook(parts);
  book.moved('contest', 'a', 1, 0);
  book.moved('contest', 'b', 1, 0);
  book.forget('contest', 'a');
  assert.deepEqual(book.messages(0, 1, all)[0]!.contests, [['b', 1]]);
  assert.deepEqual(
    book.messages(0, 1, (channel) => channel !== 'c:b'),
    [],
  );
  book.forget('contest', 'b');
  assert.deepEqual(book.messages(0, 1, all), []);
  book.moved('match', 'm', 5, 0);
  book.began('match', 'm', 9, 0);
  assert.deepEqual(book.messages(0, 5, all)[0]!.matches, [['m', 5]]);
});
