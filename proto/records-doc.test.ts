import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../test/project.ts';
import { limits } from './limits.ts';
import { parseRecord } from './parse-record.ts';
import { RecordError } from './record-error.ts';

/**
 * A record with every field, by the heading of its section in RECORDS.md. Fields that exclude each other
 * are in two samples.
 */
const head = { id: 'r1', at: 0 };
const item = { entry: 'e', user: 'u', contests: [], players: ['a'], captain: 'a', viceCaptain: 'b' };
const samples: Record<string, Record<string, unknown>[]> = {
  match: [{ type: 'match', match: 'm', players: ['a'], startsAt: 1, pointStep: 1 }],
  contest: [{ type: 'contest', contest: 'c', kind: 'fantasy', match: 'm', prizes: 1 }],
  entries: [
    { type: 'entries', match: 'm', entries: [item] },
    { type: 'entries', contest: 'c', entries: [] },
  ],
  points: [{ type: 'points', match: 'm', player: 'a', points: 1, label: 'x' }],
  score: [{ type: 'score', contest: 'c', entry: 'e', score: 1 }],
  final: [
    { type: 'final', match: 'm' },
    { type: 'final', contest: 'c' },
  ],
  'graph-commands': [
    { kind: 'affinity', from: 'a', to: 'b', affinity: 1 },
    { kind: 'interaction', from: 'a', to: 'b', weight: 1 },
    { kind: 'follow', from: 'a', to: 'b' },
  ],
  'graph-changes': [{ list: 'followers', kind: 'put', user: 'a', other: 'b', affinity: 1, command: 'r1' }],
  profiles: [{ user: 'u', name: 'n', avatar: 'https://example.org/' }],
};
const parse = (section: string, fields: object): object => {
  if (section === 'graph-changes') return parseRecord('graph-changes', { ...head, ...fields }, 0);
  if (section === 'profiles' || section === 'graph-commands')
    return parseRecord(section, { ...head, ...fields }, 0);
  return parseRecord('contest-events', { ...head, ...fields }, 0);
};

const doc = readFileSync(join(projectRoot, 'proto/RECORDS.md'), 'utf8');
/** Fields by section; `?` where it may be absent. Those of an item of `entries` are apart. */
const described = new Map<string, string[]>();
for (const part of doc.split(/\n##+ /).slice(1)) {
  const fields = [...part.matchAll(/^\| `(\w+\??)`/gm)].map((match) => match[1]!);
  const items = part.indexOf('Each item:');
  const name = part.slice(0, part.indexOf('\n'));
  const own = items < 0 ? fields.length : [...part.slice(0, items).matchAll(/^\| `(\w+\??)`/gm)].length;
  if (fields.length > 0) described.set(name, fields.slice(0, own));
  if (items >= 0) described.set('item', fields.slice(own));
}

test('RECORDS.md describes the fields of every record, and no others', () => {
  assert.deepEqual([...described.keys()].sort(), [...Object.keys(samples), 'item'].sort());
  for (const [name, ofName] of Object.entries(samples)) {
    const fields = new Set(ofName.flatMap((sample) => Object.keys(sample)));
    assert.deepEqual(
      described
        .get(name)!
        .map((field) => field.replace('?', ''))
        .sort(),
      [...fields].sort(),
      name,
    );
  }
  assert.deepEqual(
    described.get('item')!.map((field) => field.replace('?', '')),
    Object.keys(item),
  );
});

test('the fields that RECORDS.md says may be absent may be, and no others', () => {
  for (const [name, ofName] of Object.entries(samples)) {
    for (const sample of ofName) {
      assert.deepEqual(parse(name, sample), { ...head, ...sample });
      for (const field of Object.keys(sample)) {
        if (described.get(name)!.includes(field)) {
          assert.throws(
            () => parse(name, { ...sample, [field]: undefined }),
            RecordError,
            `${name}.${field}`,
          );
        }
      }
    }
    for (const field of described.get(name)!.filter((one) => one.endsWith('?'))) {
      const without = ofName.some((sample) => !Object.hasOwn(sample, field.replace('?', '')));
      const omitted = (): object => parse(name, { ...ofName[0], [field.replace('?', '')]: undefined });
      if (!without && !['contest', 'graph-changes'].includes(name)) assert.ok(omitted(), `${name}.${field}`);
    }
  }
  for (const field of described.get('item')!) {
    const omitted = (): object =>
      parse('entries', {
        type: 'entries',
        match: 'm',
        entries: [{ ...item, [field.replace('?', '')]: undefined }],
      });
    if (field.endsWith('?')) assert.ok(omitted(), field);
    else assert.throws(omitted, RecordError, field);
  }
});

test('every limit that RECORDS.md names exists', () => {
  for (const [, name] of doc.matchAll(/`([a-z][A-Za-z]+(?:Max|Ms))`/g)) {
    assert.ok(Object.hasOwn(limits, name!), `${name} is no limit`);
  }
});
