import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from 'msgpackr';
import { ServiceError } from '../../proto/codes.ts';
import * as codec from './message-codec.ts';
import type {
  ContestFrame,
  ContestSnapshot,
  Heads,
  MatchFrame,
  MatchSnapshot,
  Question,
} from './messages.ts';

const match: MatchSnapshot = {
  match: 'm1',
  epoch: 'e1',
  version: 2 ** 40 + 1,
  at: 1_700_000_000_123,
  pointStep: 0.5,
  startsAt: 1_700_000_100_000,
  final: false,
  players: [
    ['p1', -20],
    ['p2', 10_000],
  ],
  label: null,
};
const small: ContestSnapshot = {
  contest: 'c1',
  kind: 'fantasy',
  match: 'm1',
  epoch: 'e2',
  version: 7,
  at: 1_700_000_000_123,
  scoreStep: 0.25,
  prizes: 3,
  final: false,
  total: 1,
  entries: [
    [0, 'a', 'u1', null],
    [1, 'b', 'u2', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ],
  counts: null,
  top: [],
  matchState: match,
};
const scores: ContestSnapshot = {
  ...small,
  kind: 'scores',
  match: null,
  entries: null,
  counts: { scores: [-Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER], counts: [1, 2, 3] },
  top: [[1, 'a', Number.MAX_SAFE_INTEGER, 'u1']],
  matchState: null,
};
const contestFrame: ContestFrame = {
  contest: 'c1',
  epoch: 'e2',
  base: 3,
  version: 9,
  at: 5,
  total: 4,
  prizes: 0,
  final: true,
  players: [[3, 12]],
  roster: ['p1', 'p2'],
  counts: { scores: [1], counts: [0] },
  whole: true,
  top: [[1, 'a', 4, 'u']],
  changedUsers: ['u1'],
  changedScores: null,
};
const matchFrame: MatchFrame = {
  match: 'm1',
  epoch: 'e1',
  base: 3,
  version: 9,
  at: 5,
  startsAt: 8,
  final: false,
  players: [[0, 1]],
  roster: null,
  label: '1/3.4',
  contests: [
    { contest: 'c1', total: 2, prizes: 0, final: false, entries: small.entries },
    { contest: 'c2', total: 2_000, prizes: 0, final: false, entries: null },
  ],
};
const heads: Heads = { partition: 3, replica: 1, version: 9, contests: [['c1', 9]], matches: [['m1', 8]] };
const questions: Question[] = [
  {
    q: 'want',
    edge: 'e',
    leaseMs: 30_000,
    contests: ['c1'],
    matches: [],
    renewContests: ['c2'],
    renewMatches: ['m1'],
  },
  { q: 'who', contest: 'c1', users: ['u1', 'u2'] },
  { q: 'ranks', contest: 'c1', entries: ['a'], minVersion: 4, waitMs: 2_000 },
  { q: 'page', contest: 'c1', page: 0, minVersion: 0, waitMs: 0 },
];

test('every message comes back as it went', () => {
  for (const question of questions) {
    assert.deepEqual(codec.decodeQuestion(codec.encodeQuestion(question)), question);
  }
  assert.deepEqual(codec.decodeContestFrame(codec.encodeContestFrame(contestFrame)), contestFrame);
  assert.deepEqual(codec.decodeMatchFrame(codec.encodeMatchFrame(matchFrame)), matchFrame);
  assert.deepEqual(codec.decodeHeads(codec.encodeHeads(heads)), heads);
  assert.deepEqual(codec.decodeContestSnapshot(codec.encodeContestSnapshot(small)), small);
  assert.deepEqual(codec.decodeContestSnapshot(codec.encodeContestSnapshot(scores)), scores);
});

test('every answer comes back as it went', () => {
  const want = { version: 9, contests: [small, null, scores], matches: [null, match] };
  assert.deepEqual(codec.decodeWantAnswer(codec.encodeWantAnswer(want)), want);
  for (const users of [null, [[], [['a', [0, 1], 4]], [['b', null, -3]]]]) {
    const who = { version: 9, touched: 7, epoch: 'e', users } as Parameters<typeof codec.encodeWhoAnswer>[0];
    assert.deepEqual(codec.decodeWhoAnswer(codec.encodeWhoAnswer(who)), who);
  }
  const ranks: Parameters<typeof codec.encodeRanksAnswer>[0] = {
    outcome: 'ok',
    version: 9,
    appliedVersion: 9,
    scoreStep: 0.5,
    ranks: [[-4, 1], null],
  };
  assert.deepEqual(codec.decodeRanksAnswer(codec.encodeRanksAnswer(ranks)), ranks);
  const page: Parameters<typeof codec.encodePageAnswer>[0] = {
    outcome: 'timeout',
    version: 9,
    total: 1,
    scoreStep: 1,
    rows: [[1, 'a', 4]],
  };
  assert.deepEqual(codec.decodePageAnswer(codec.encodePageAnswer(page)), page);
});

test('a message that is not one is refused naming what is wrong', () => {
  const cases: [bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown, said: RegExp][] = [
    [new Uint8Array(0), codec.decodeQuestion, /question: it is not msgpack/],
    [new Uint8Array([0xc1]), codec.decodeQuestion, /question: it is not/],
    [pack({ q: 'who' }), codec.decodeQuestion, /question: it is not an array/],
    [pack([99]), codec.decodeQuestion, /99 is not the number of a question/],
    [pack([2, 'c1']), codec.decodeQuestion, /who question: it has 1 fields, not 2/],
    [pack([2, 'c1', ['u', 4]]), codec.decodeQuestion, /who question.users: it is not of kind strings/],
    [pack([2, 7, []]), codec.decodeQuestion, /who question.contest: it is not of kind string/],
    [pack([4, 'c', Number.NaN, 0, 0]), codec.decodeQuestion, /page question.page: it is not of kind number/],
    [codec.encodeHeads(heads), codec.decodeMatchFrame, /match frame: its number is 23, not 22/],
    [codec.encodeHeads(heads).subarray(0, 9), codec.decodeHeads, /heads: it is not msgpack/],
    [pack([11, 4, [5], []]), codec.decodeWantAnswer, /an item is not a list of fields/],
    [pack([11, 4, 5, []]), codec.decodeWantAnswer, /want answer.contests: it is not a list/],
    [new Uint8Array(codec.messageBytesMax + 1), codec.decodeHeads, /are more than the/],
  ];
  for (const [bytes, decode, said] of cases) {
    assert.throws(
      () => decode(bytes),
      (error) => error instanceof ServiceError && !error.retryable && said.test(error.message),
      String(said),
    );
  }
});

test('a frame stays small: a touched count costs a few bytes', () => {
  const many = {
    ...contestFrame,
    counts: {
      scores: Array.from({ length: 1_000 }, (_, i) => 2_000 + i),
      counts: Array.from({ length: 1_000 }, (_, i) => 100 + i),
    },
  };
  assert.ok(codec.encodeContestFrame(many).byteLength < 6_500);
});
