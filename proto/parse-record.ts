/**
 * Records at the way in: from bytes of unknown origin to a record of records.ts. Inside, everyone trusts
 * the types.
 *
 * What is checked here needs no state: types, bounds, which fields belong together. What depends on other
 * records (is there such a match, is the team of its players, are the points on its steps) is the worker's.
 * Unknown fields are ignored, so that producers may be newer than we are; the answer holds known fields only.
 */
import { limits } from './limits.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { RecordError } from './record-error.ts';
import {
  type Fields,
  fail,
  idField,
  idsField,
  integerField,
  isAbsent,
  oneOfField,
  optionalIdField,
  shareField,
  textField,
  urlField,
} from './record-fields.ts';
import {
  type AnyRecord,
  type ContestEvent,
  type ContestRecord,
  type EntriesRecord,
  type EntryItem,
  type GraphChange,
  type GraphCommand,
  type IngestTopic,
  ingestTopics,
  type PointsRecord,
  type ProfileRecord,
} from './records.ts';
import { quote } from './text.ts';

/** Topics whose records have a shape of ours; `graph-changes` is written by the graph worker only. */
export type RecordTopic = IngestTopic | 'graph-changes';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function isIngestTopic(topic: string): topic is IngestTopic {
  return (ingestTopics as readonly string[]).includes(topic);
}

/**
 * Checks a record of `topic`. `input` is the record's bytes (JSON text or MessagePack) or the decoded
 * object, whose arrays of ids are handed on. `nowMs` is the log's clock when it took the record. Throws
 * `RecordError`.
 */
export function parseRecord(topic: 'contest-events', input: unknown, nowMs: number): ContestEvent;
export function parseRecord(topic: 'graph-commands', input: unknown, nowMs: number): GraphCommand;
export function parseRecord(topic: 'graph-changes', input: unknown, nowMs: number): GraphChange;
export function parseRecord(topic: 'profiles', input: unknown, nowMs: number): ProfileRecord;
export function parseRecord(topic: IngestTopic, input: unknown, nowMs: number): AnyRecord;
export function parseRecord(topic: RecordTopic, input: unknown, nowMs: number): AnyRecord | GraphChange {
  const fields = input instanceof Uint8Array ? decodeRecordValue(input) : input;
  if (!isObject(fields)) {
    throw new RecordError('bad_json', `A record must be an object, not ${quote(fields)}.`);
  }
  switch (topic) {
    case 'contest-events':
      return contestEvent(fields, nowMs);
    case 'graph-commands':
      return graphCommand(fields, nowMs);
    case 'graph-changes':
      return graphChange(fields, nowMs);
    case 'profiles':
      return profile(fields, nowMs);
    default:
      throw new RecordError('unknown_topic', `No topic ${quote(topic satisfies never)} takes records.`);
  }
}

/**
 * The value of a log's record, unchecked: JSON where it begins with `{`, else MessagePack. Throws
 * `RecordError`.
 */
export function decodeRecordValue(bytes: Uint8Array): unknown {
  if (bytes.length > limits.recordBytesMax) {
    throw new RecordError(
      'record_too_large',
      `A record must be at most ${limits.recordBytesMax} bytes, not ${bytes.length}.`,
    );
  }
  if (bytes.length === 0) throw new RecordError('bad_json', 'A record must not be empty.');
  if (bytes[0] === 0x7b) return decodeJson(bytes);
  if (!isMapCode(bytes[0]!)) {
    const first = bytes[0]!.toString(16).padStart(2, '0');
    throw new RecordError(
      'bad_json',
      `A record must be a JSON object, from {, or a MessagePack map; it begins with the byte ${first}.`,
    );
  }
  const reader = new MsgpackReader(bytes, (message) => new RecordError('bad_json', message));
  const value = reader.value('the record', limits.depthMax);
  reader.end('the record');
  return value;
}

function isMapCode(code: number): boolean {
  return (code >= 0x80 && code <= 0x8f) || code === 0xde || code === 0xdf;
}

function decodeJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new RecordError('bad_json', 'The record is not valid UTF-8.');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RecordError('bad_json', `The record is not JSON: ${quote((error as Error).message)}.`);
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The partition key of a record: all that must stay in order has one key. */
export function recordKey(topic: RecordTopic, record: AnyRecord | GraphChange): string {
  switch (topic) {
    case 'contest-events': {
      const { match, contest } = record as { match?: string; contest?: string };
      return match ?? contest!;
    }
    case 'graph-commands': {
      const { from, to } = record as GraphCommand;
      return from < to ? `${from}:${to}` : `${to}:${from}`;
    }
    case 'graph-changes':
    case 'profiles':
      return (record as GraphChange | ProfileRecord).user;
  }
}

function atField(fields: Fields, nowMs: number): number {
  const at = integerField(fields, 'at', 0, limits.timeMsMax);
  if (at > nowMs + limits.futureAtMs) {
    throw new RecordError(
      'future_at',
      `at is ${at}, ${at - nowMs} ms ahead of the log’s clock; at most ${limits.futureAtMs} ms are taken.`,
    );
  }
  return at;
}

const contestEventTypes = ['match', 'contest', 'entries', 'points', 'score', 'final'] as const;

function contestEvent(fields: Fields, nowMs: number): ContestEvent {
  const id = idField(fields, 'id');
  const at = atField(fields, nowMs);
  const type = fields['type'] as ContestEvent['type'];
  switch (type) {
    case 'match':
      return {
        type,
        id,
        at,
        match: idField(fields, 'match'),
        players: playersField(fields),
        startsAt: integerField(fields, 'startsAt', 0, limits.timeMsMax),
        pointStep: oneOfField(fields, 'pointStep', [1, 0.5]),
      };
    case 'contest':
      return contestRecord(fields, id, at);
    case 'entries':
      return { type, id, at, ...matchOrContest(fields), entries: entryItems(fields) };
    case 'points':
      return pointsRecord(fields, id, at);
    case 'score':
      return {
        type,
        id,
        at,
        contest: idField(fields, 'contest'),
        entry: idField(fields, 'entry'),
        score: integerField(fields, 'score', -limits.integerMax, limits.integerMax),
      };
    case 'final':
      return { type, id, at, ...matchOrContest(fields) };
    default:
      if (typeof (type satisfies never) !== 'string') return fail('type', contestEventTypes.join(', '), type);
      throw new RecordError(
        'unknown_type',
        `No record has the type ${quote(type)}; it must be one of ${contestEventTypes.join(', ')}.`,
      );
  }
}

function playersField(fields: Fields): string[] {
  const value = fields['players'];
  if (Array.isArray(value) && value.length > limits.playersPerMatchMax) {
    throw new RecordError(
      'contest_full',
      `players must be at most ${limits.playersPerMatchMax} ids, not ${value.length}.`,
    );
  }
  return idsField(fields, 'players', limits.playersPerMatchMax);
}

function contestRecord(fields: Fields, id: string, at: number): ContestRecord {
  const contest = idField(fields, 'contest');
  const kind = oneOfField(fields, 'kind', ['fantasy', 'scores']);
  if (kind === 'scores' && !isAbsent(fields['match'])) {
    throw new RecordError('bad_field', 'match belongs to a contest of the kind fantasy only.');
  }
  const record: ContestRecord = { type: 'contest', id, at, contest, kind };
  if (kind === 'fantasy') record.match = idField(fields, 'match');
  if (!isAbsent(fields['prizes'])) record.prizes = integerField(fields, 'prizes', 0, limits.prizesMax);
  return record;
}

function pointsRecord(fields: Fields, id: string, at: number): PointsRecord {
  const match = idField(fields, 'match');
  const player = idField(fields, 'player');
  const points = fields['points'];
  if (typeof points !== 'number' || !Number.isFinite(points)) return fail('points', 'a number', points);
  if (Math.abs(points) > limits.pointsStepsMax) {
    throw new RecordError(
      'off_step',
      `points must be within ±${limits.pointsStepsMax} steps, not ${quote(points)}.`,
    );
  }
  const record: PointsRecord = { type: 'points', id, at, match, player, points: points + 0 };
  if (!isAbsent(fields['label'])) record.label = textField(fields, 'label', 0, limits.labelBytesMax);
  return record;
}

function matchOrContest(fields: Fields): { match: string } | { contest: string } {
  const match = optionalIdField(fields, 'match');
  const contest = optionalIdField(fields, 'contest');
  if (match !== undefined && contest === undefined) return { match };
  if (contest !== undefined && match === undefined) return { contest };
  const found = match === undefined ? 'neither' : 'both';
  throw new RecordError('bad_field', `The record must name a match or a contest, and names ${found}.`);
}

function entryItems(fields: Fields): EntriesRecord['entries'] {
  const value = fields['entries'];
  if (!Array.isArray(value)) return fail('entries', 'an array', value);
  if (value.length > limits.entriesPerRecordMax) {
    return fail('entries', `an array of at most ${limits.entriesPerRecordMax}`, value);
  }
  const items = new Array<EntryItem>(value.length);
  for (let i = 0; i < items.length; i++) items[i] = entryItem(value[i], i);
  return items;
}

/** Whether a team is whole depends on the contest, and is looked at item by item there: only shapes here. */
function entryItem(value: unknown, i: number): EntryItem {
  if (!isObject(value)) return fail(`entries[${i}]`, 'an object', value ?? null);
  const item: EntryItem = {
    entry: idField(value, 'entry', i),
    user: idField(value, 'user', i),
    contests: idsField(value, 'contests', limits.contestsPerEntryMax, i),
  };
  if (!isAbsent(value['players'])) item.players = idsField(value, 'players', limits.playersPerMatchMax, i);
  const captain = optionalIdField(value, 'captain', i);
  if (captain !== undefined) item.captain = captain;
  const viceCaptain = optionalIdField(value, 'viceCaptain', i);
  if (viceCaptain !== undefined) item.viceCaptain = viceCaptain;
  return item;
}

const commandKinds = ['follow', 'unfollow', 'block', 'unblock', 'affinity', 'interaction'] as const;

function graphCommand(fields: Fields, nowMs: number): GraphCommand {
  const command: GraphCommand = {
    id: idField(fields, 'id'),
    at: atField(fields, nowMs),
    kind: oneOfField(fields, 'kind', commandKinds),
    from: idField(fields, 'from'),
    to: idField(fields, 'to'),
  };
  if (command.kind === 'affinity' || (command.kind === 'follow' && !isAbsent(fields['affinity']))) {
    command.affinity = shareField(fields, 'affinity');
  }
  if (command.kind === 'interaction') command.weight = shareField(fields, 'weight');
  return command;
}

function graphChange(fields: Fields, nowMs: number): GraphChange {
  const change: GraphChange = {
    id: commandIdField(fields, 'id'),
    at: atField(fields, nowMs),
    list: oneOfField(fields, 'list', ['followers', 'following']),
    kind: oneOfField(fields, 'kind', ['put', 'remove', 'affinity']),
    user: idField(fields, 'user'),
    other: idField(fields, 'other'),
    command: idField(fields, 'command'),
  };
  if (change.kind !== 'remove') {
    const affinity = fields['affinity'];
    if (typeof affinity !== 'number' || !Number.isFinite(affinity))
      return fail('affinity', 'a number', affinity);
    change.affinity = affinity;
  }
  return change;
}

/** A change's id is made from the command's, and so may be a little longer than an id. */
function commandIdField(fields: Fields, field: string): string {
  return textField(fields, field, 1, limits.idBytesMax * 2);
}

function profile(fields: Fields, nowMs: number): ProfileRecord {
  const record: ProfileRecord = {
    id: idField(fields, 'id'),
    at: atField(fields, nowMs),
    user: idField(fields, 'user'),
    name: textField(fields, 'name', 1, limits.nameBytesMax),
  };
  if (!isAbsent(fields['avatar'])) record.avatar = urlField(fields, 'avatar', limits.avatarBytesMax);
  return record;
}
