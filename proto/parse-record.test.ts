import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import type { CodeName } from './codes.ts';
import { limits } from './limits.ts';
import { decodeRecordValue, isIngestTopic, parseRecord, recordKey } from './parse-record.ts';
import { RecordError } from './record-error.ts';
import type { AnyRecord, IngestTopic } from './records.ts';

const now = 1_700_000_000_000;
const head = { id: 'r1', at: now };
const team = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'];
const good: [IngestTopic, AnyRecord, key: string][] = [
  [
    'contest-events',
    { ...head, type: 'match', match: 'm1', players: team, startsAt: now, pointStep: 0.5 },
    'm1',
  ],
  [
    'contest-events',
    { ...head, type: 'contest', contest: 'c1', kind: 'fantasy', match: 'm1', prizes: 3 },
    'm1',
  ],
  ['contest-events', { ...head, type: 'contest', contest: 'c2', kind: 'scores' }, 'c2'],
  [
    'contest-events',
    {
      ...head,
      type: 'entries',
      match: 'm1',
      entries: [
        { entry: 'e1', user: 'u1', contests: ['c1'], players: team, captain: 'a', viceCaptain: 'b' },
        { entry: 'e2', user: 'u1', contests: [] },
      ],
    },
    'm1',
  ],
  ['contest-events', { ...head, type: 'entries', contest: 'c2', entries: [] }, 'c2'],
  [
    'contest-events',
    { ...head, type: 'points', match: 'm1', player: 'a', points: -3.5, label: 'Ü 3.2' },
    'm1',
  ],
  ['contest-events', { ...head, type: 'score', contest: 'c2', entry: 'e', score: 9007199254740991 }, 'c2'],
  ['contest-events', { ...head, type: 'final', match: 'm1' }, 'm1'],
  ['contest-events', { ...head, type: 'final', contest: 'c2' }, 'c2'],
  ['graph-commands', { ...head, kind: 'follow', from: '1003', to: '1002', affinity: 0.5 }, '1002:1003'],
  ['graph-commands', { ...head, kind: 'follow', from: '1002', to: '1003' }, '1002:1003'],
  ['graph-commands', { ...head, kind: 'interaction', from: 'a', to: 'b', weight: 1 }, 'a:b'],
  ['graph-commands', { ...head, kind: 'block', from: 'b', to: 'a' }, 'a:b'],
  ['profiles', { ...head, user: 'u1', name: 'Zoë', avatar: 'https://example.org/a.png' }, 'u1'],
];

const refused = (topic: IngestTopic, input: unknown, code: CodeName, sentence: RegExp): void => {
  assert.throws(
    () => parseRecord(topic, input, now),
    (error) => {
      assert.ok(error instanceof RecordError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
      assert.ok(error.message.length <= 300, error.message);
      return true;
    },
  );
};

test('good records come through as object, JSON and MessagePack, and have their key', () => {
  const packr = new Packr({ useRecords: false });
  for (const [topic, record, key] of good) {
    assert.deepEqual(parseRecord(topic, record, now), record);
    assert.deepEqual(parseRecord(topic, new TextEncoder().encode(JSON.stringify(record)), now), record);
    assert.deepEqual(parseRecord(topic, new Uint8Array(packr.pack(record)), now), record);
    assert.equal(recordKey(topic, record), key);
  }
});

test('unknown fields and nulls of optional ones are left out', () => {
  const record = { ...head, type: 'final', match: 'm1' };
  assert.deepEqual(parseRecord('contest-events', { ...record, contest: null, later: [1] }, now), record);
});

test('a change of the graph comes through, and is not taken from outside', () => {
  const change = {
    id: 'r1.a',
    at: now,
    list: 'followers',
    kind: 'put',
    user: 'a',
    other: 'b',
    affinity: 7.5,
    command: 'r1',
  };
  const read = parseRecord('graph-changes', change, now);
  assert.deepEqual(read, change);
  assert.equal(recordKey('graph-changes', read), 'a');
  assert.equal(isIngestTopic('graph-changes'), false);
  assert.equal(isIngestTopic('profiles'), true);
});

test('what is no record is refused', () => {
  refused('profiles', new Uint8Array(0), 'bad_json', /must not be empty/);
  refused('profiles', new TextEncoder().encode('{"id":'), 'bad_json', /not JSON: "Unexpected end/);
  refused('profiles', new Uint8Array([0x7b, 0xff, 0x7d]), 'bad_json', /not valid UTF-8/);
  refused('profiles', new TextEncoder().encode('[]'), 'bad_json', /begins with the byte 5b/);
  refused(
    'profiles',
    new Uint8Array([0x81, 0xa1, 0x61, 0xd4, 0xff, 0]),
    'bad_json',
    /must not hold an extension/,
  );
  refused(
    'profiles',
    new Uint8Array([0x81, 0xa1, 0x61, ...Array(40).fill(0x91)]),
    'bad_json',
    /nested too deep/,
  );
  refused('profiles', [], 'bad_json', /must be an object, not an array of 0/);
  refused('profiles', null, 'bad_json', /not null/);
  refused(
    'profiles',
    new Uint8Array(limits.recordBytesMax + 1),
    'record_too_large',
    /1048576 bytes, not 1048577/,
  );
  refused('later' as 'profiles', {}, 'unknown_topic', /No topic "later"/);
  assert.throws(() => decodeRecordValue(new Uint8Array([0xc1])), RecordError);
});

test('what is wrong in a record is named', () => {
  const bad = (base: number, change: object, code: CodeName, sentence: RegExp): void =>
    refused(good[base]![0], { ...good[base]![1], ...change }, code, sentence);
  bad(0, { id: undefined }, 'bad_field', /^id is missing: it must be 1 to 36 of/);
  bad(0, { id: 'a b' }, 'bad_field', /^id must be .* not "a b"\.$/);
  bad(0, { id: 'x'.repeat(37) }, 'bad_field', /^id must be/);
  bad(0, { id: '\u202e\n' }, 'bad_field', /not "\\u202e\\n"/);
  bad(0, { at: '1' }, 'bad_field', /^at must be an integer from 0 to/);
  bad(0, { at: now + 60_001 }, 'future_at', /60001 ms ahead/);
  bad(0, { type: 'goal' }, 'unknown_type', /type "goal"/);
  bad(0, { type: 5 }, 'bad_field', /^type must be/);
  bad(0, { type: undefined }, 'bad_field', /^type is missing/);
  bad(0, { players: 'a' }, 'bad_field', /^players must be an array of ids, not "a"/);
  bad(0, { players: ['a', null] }, 'bad_field', /^players\[1\] must be .* not null/);
  bad(0, { players: Array(201).fill('a') }, 'contest_full', /at most 200 ids, not 201/);
  bad(0, { pointStep: 0.25 }, 'bad_field', /^pointStep must be 1 or 0\.5, not 0\.25/);
  bad(0, { startsAt: -1 }, 'bad_field', /^startsAt/);
  bad(1, { kind: 'quiz' }, 'bad_field', /^kind must be fantasy or scores, not "quiz"/);
  bad(1, { match: undefined }, 'bad_field', /^match is missing/);
  bad(1, { prizes: 1.5 }, 'bad_field', /^prizes must be an integer/);
  bad(2, { match: 'm1' }, 'bad_field', /^match belongs to a contest of the kind fantasy/);
  bad(3, { contest: 'c1' }, 'bad_field', /names both/);
  bad(3, { match: undefined }, 'bad_field', /names neither/);
  bad(3, { entries: {} }, 'bad_field', /^entries must be an array, not an object/);
  bad(3, { entries: Array(1001).fill({}) }, 'bad_field', /at most 1000, not an array of 1001/);
  bad(3, { entries: [1] }, 'bad_field', /^entries\[0\] must be an object, not 1/);
  bad(3, { entries: [{ entry: 'e', contests: [] }] }, 'bad_field', /^entries\[0\]\.user is missing/);
  bad(
    3,
    { entries: [{ entry: 'e', user: 'u', contests: ['ä'] }] },
    'bad_field',
    /^entries\[0\]\.contests\[0\]/,
  );
  bad(
    3,
    { entries: [{ entry: 'e', user: 'u', contests: Array(101).fill('c') }] },
    'bad_field',
    /at most 100 ids/,
  );
  bad(
    3,
    { entries: [{ entry: 'e', user: 'u', contests: [], captain: 3 }] },
    'bad_field',
    /\.captain must be/,
  );
  bad(5, { points: Number.NaN }, 'bad_field', /^points must be a number, not NaN/);
  bad(5, { points: 10_000.5 }, 'off_step', /±10000 steps, not 10000\.5/);
  bad(5, { label: 'x'.repeat(65) }, 'bad_field', /^label must be a text of 0 to 64 bytes/);
  bad(5, { label: 'a\u0000' }, 'bad_field', /control characters, not "a\\u0000"/);
  bad(5, { label: '\ud800' }, 'bad_field', /well-formed/);
  bad(6, { score: 2 ** 53 }, 'bad_field', /^score must be an integer/);
  bad(9, { kind: 'like' }, 'bad_field', /^kind must be follow, unfollow, block/);
  bad(9, { affinity: 1.1 }, 'bad_field', /^affinity must be a number from 0 to 1, not 1\.1/);
  bad(11, { weight: undefined }, 'bad_field', /^weight is missing/);
  bad(12, { kind: 'affinity' }, 'bad_field', /^affinity is missing/);
  bad(13, { name: '' }, 'bad_field', /^name must be a text of 1 to 128 bytes, not ""/);
  bad(13, { avatar: 'javascript:alert(1)' }, 'bad_field', /^avatar must be a URL of http or https/);
  bad(13, { avatar: '/a.png' }, 'bad_field', /^avatar must be a URL/);
});
