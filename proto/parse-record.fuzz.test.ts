import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import { parseRecord, recordKey } from './parse-record.ts';
import { seededRandom, seedOf } from './random.fuzz.ts';
import { RecordError } from './record-error.ts';
import { type AnyRecord, type IngestTopic, ingestTopics } from './records.ts';

const seed = seedOf(process.env['SEED']);
const random = seededRandom(seed);
const below = (end: number): number => Math.floor(random() * end);
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
const packr = new Packr({ useRecords: false });

const now = 1_700_000_000_000;
const types = ['match', 'contest', 'entries', 'points', 'score', 'final', 'goal', '__proto__'];
const kinds = ['fantasy', 'scores', 'follow', 'unfollow', 'block', 'unblock', 'affinity', 'interaction'];
const ids = ['a', 'e1', 'x'.repeat(36), '__proto__', 'A_b-9'];
const hostile = [
  '',
  'a b',
  'ü',
  '\ud800',
  '\u0000',
  'x'.repeat(37),
  {},
  [],
  [[]],
  null,
  true,
  Number.NaN,
  -0,
  1e300,
  2 ** 53,
];
const fieldNames = [
  'id',
  'at',
  'type',
  'match',
  'contest',
  'kind',
  'players',
  'startsAt',
  'pointStep',
  'prizes',
];
fieldNames.push(
  'entries',
  'player',
  'points',
  'label',
  'entry',
  'score',
  'from',
  'to',
  'affinity',
  'weight',
  'user',
);
fieldNames.push('name', 'avatar', 'constructor');

/** Every field that any record has, mostly of the right kind. */
function anyFields(): Record<string, unknown> {
  const id = (): string => pick(ids);
  const list = (): string[] => Array.from({ length: below(13) }, id);
  const fields: Record<string, unknown> = {
    id: id(),
    at: now + below(3) * 30_000,
    type: pick(types),
    kind: pick(kinds),
    players: list(),
    startsAt: now,
    pointStep: pick([1, 0.5]),
    prizes: below(9),
    entries: Array.from({ length: below(3) }, () => ({
      entry: id(),
      user: id(),
      contests: list(),
      players: list(),
    })),
    player: id(),
    points: below(99) / 2,
    label: 'Ü 3.2',
    entry: id(),
    score: -below(99),
    from: id(),
    to: id(),
    affinity: random(),
    weight: random(),
    user: id(),
    name: 'Zoë',
    avatar: 'https://example.org/',
  };
  if (random() < 0.6) fields['match'] = id();
  if (random() < 0.6) fields['contest'] = id();
  for (let changes = below(3); changes > 0; changes--) {
    if (random() < 0.5) fields[pick(fieldNames)] = pick(hostile);
    else delete fields[pick(fieldNames)];
  }
  return fields;
}

function tryRecord(topic: IngestTopic, input: unknown): boolean {
  let record: AnyRecord;
  try {
    record = parseRecord(topic, input, now);
  } catch (error) {
    const hex = input instanceof Uint8Array ? Buffer.from(input).toString('hex') : JSON.stringify(input);
    const shown = `SEED=${seed} ${hex}`;
    assert.ok(error instanceof RecordError, `${shown}: ${error}`);
    assert.ok(error.message.length > 10 && error.message.length < 300, `${shown}: ${error.message}`);
    assert.doesNotMatch(error.message, /\p{Cc}/u, shown);
    return false;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  assert.deepEqual(parseRecord(topic, bytes, now), record, `SEED=${seed}`);
  assert.match(recordKey(topic, record), /^[A-Za-z0-9_-]{1,36}(:[A-Za-z0-9_-]{1,36})?$/, `SEED=${seed}`);
  return true;
}

test('random objects give records or RecordErrors, never anything else', (t) => {
  let taken = 0;
  for (let i = 0; i < 30_000; i++) if (tryRecord(pick(ingestTopics), anyFields())) taken++;
  t.diagnostic(`SEED=${seed}: ${taken} taken`);
  assert.ok(taken > 3_000, `${taken} taken`);
});

test('mutated bytes of records give records or RecordErrors, never anything else', (t) => {
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    const fields = anyFields();
    const bytes = new Uint8Array(
      i % 2 === 0 ? packr.pack(fields) : new TextEncoder().encode(JSON.stringify(fields)),
    );
    for (let changes = below(3); changes > 0; changes--) bytes[below(bytes.length)] = below(256);
    const cut = random() < 0.2 ? bytes.subarray(0, below(bytes.length + 1)) : bytes;
    if (tryRecord(pick(ingestTopics), cut)) taken++;
  }
  t.diagnostic(`SEED=${seed}: ${taken} taken`);
});
