import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphCommand } from '../../proto/records.ts';
import { foldCommands, type LoggedCommand, pairsOf } from './fold-commands.ts';
import { emptyState } from './pair-rules.ts';

const t0 = Date.UTC(2026, 4, 1);
let made = 0;
function logged(kind: GraphCommand['kind'], from: string, to: string): LoggedCommand {
  made += 1;
  return { command: { id: `c${made}`, at: t0 + made, kind, from, to }, loggedAt: t0 + made };
}

test('commands of a pair find what those before them left, whichever side they come from', () => {
  const commands = [
    logged('follow', 'b', 'a'),
    logged('follow', 'a', 'b'),
    logged('follow', 'a', 'c'),
    logged('unfollow', 'b', 'a'),
    logged('block', 'c', 'a'),
    logged('follow', 'a', 'c'),
  ];
  const pairs = pairsOf(commands);
  assert.deepEqual(pairs, [
    ['b', 'a'],
    ['a', 'c'],
  ]);
  const { outcomes, states, changes } = foldCommands(
    commands,
    pairs.map(([from, to]) => [emptyState(from, to), emptyState(to, from)]),
  );
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.state === 'rejected' ? outcome.code : outcome.state)),
    ['applied', 'applied', 'applied', 'applied', 'applied', 'blocked'],
  );
  assert.deepEqual(
    states.map(({ from, to, following, blocking }) => [from, to, following, blocking]),
    [
      ['b', 'a', false, false],
      ['a', 'b', true, false],
      ['a', 'c', false, false],
      ['c', 'a', false, true],
    ],
  );
  assert.deepEqual(
    changes.map((change) => change.command),
    ['c1', 'c1', 'c2', 'c2', 'c3', 'c3', 'c4', 'c4', 'c5', 'c5', 'c5', 'c5'],
  );
});

test('directed pairs that nothing changed are not written', () => {
  const follow = logged('follow', 'a', 'b');
  const self = logged('follow', 'a', 'a');
  const commands = [follow, self];
  const pairs = pairsOf(commands);
  const once = foldCommands(
    commands,
    pairs.map(([from, to]) => [emptyState(from, to), emptyState(to, from)]),
  );
  assert.deepEqual(
    once.states.map(({ from, to }) => [from, to]),
    [['a', 'b']],
  );
  const again = foldCommands([follow], [[once.states[0]!, emptyState('b', 'a')]]);
  assert.deepEqual(again.states, []);
  assert.deepEqual(
    again.changes,
    once.changes.filter((change) => change.command === follow.command.id),
  );
});
