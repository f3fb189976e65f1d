import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../test/project.ts';
import { clientFields, type FieldRule, isClientFrameName } from './client-frame.ts';
import { jsonCodec } from './codec.json.ts';
import { msgpackCodec } from './codec.msgpack.ts';
import { codes } from './codes.ts';
import { frameTable } from './frames.ts';
import { limits } from './limits.ts';

const doc = readFileSync(join(projectRoot, 'proto/PROTOCOL.md'), 'utf8');
const section = (title: string): string => {
  const from = doc.indexOf(`\n## ${title}`);
  assert.ok(from >= 0, `no section ${title}`);
  const to = doc.indexOf('\n## ', from + 4);
  return doc.slice(from, to < 0 ? undefined : to);
};
/** The cells of rows whose first cell is in backticks. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

test('PROTOCOL.md describes every frame, with number, direction, fields in wire order, and no other', () => {
  const described: Record<string, { no: number; from: string; fields: string[] }> = {};
  for (const part of section('4. Frames').split('\n#### ').slice(1)) {
    const head = /^(\w+) \((\d+), (client|edge)\)\n/.exec(part);
    assert.ok(head, `no frame is headed ${part.slice(0, 40)}`);
    const fields = rows(part).map(([field]) => field!.replace('?', ''));
    described[head[1]!] = { no: Number(head[2]), from: head[3]!, fields };
  }
  assert.deepEqual(described, structuredClone(frameTable));
});

test('PROTOCOL.md marks the fields of clients that may be absent, and names the bound of each', () => {
  for (const part of section('4. Frames').split('\n#### ').slice(1)) {
    const name = /^\w+/.exec(part)?.[0];
    if (!isClientFrameName(name)) continue;
    for (const [field, type] of rows(part)) {
      const rules: Record<string, FieldRule> = clientFields[name];
      const rule = rules[field!.replace('?', '')];
      assert.equal(field!.endsWith('?'), rule?.optional, `${name}.${field}`);
      assert.equal(type, rule?.is === 'integer' ? 'int' : 'text', `${name}.${field}`);
    }
  }
});

test('PROTOCOL.md lists every code with its number, status and meaning, and no other', () => {
  const listed = Object.fromEntries(
    rows(section('9. Codes')).map(([name, no, http, about]) => [
      name,
      { no: Number(no), http: Number(http), about },
    ]),
  );
  const wanted = Object.fromEntries(
    Object.entries(codes).map(([name, code]) => [name, { ...code, about: code.about.replaceAll('`', '') }]),
  );
  assert.deepEqual(listed, wanted);
});

test('codes are unique, and stand in the range that says where they belong', () => {
  const numbers = Object.values(codes).map(({ no }) => no);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const [name, { no }] of Object.entries(codes)) {
    assert.ok((no >= 101 && no < 600) || (no >= 4000 && no < 5000), `${name} is ${no}`);
  }
});

test('PROTOCOL.md lists every limit with its value, and no other', () => {
  const listed = Object.fromEntries(
    rows(section('10. Limits')).map(([name, value]) => [name, Number(value)]),
  );
  assert.deepEqual(listed, structuredClone(limits));
});

test('limits fit each other', () => {
  assert.ok(limits.tokenBytesMax + limits.agentBytesMax + 64 < limits.frameBytesMax);
  assert.ok(limits.channelNameBytesMax >= 'contest:'.length + limits.idBytesMax);
  assert.ok(limits.playersPerTeam <= limits.playersPerMatchMax);
  // An eleven with captain and vice-captain at the most points, in half steps, fits 32 bits.
  assert.ok(2 * limits.pointsStepsMax * (limits.playersPerTeam + 1.5) < 2 ** 31);
});

test('every limit that PROTOCOL.md names exists', () => {
  for (const [, name] of doc.matchAll(/`([a-z][A-Za-z]+(?:Max|Min))`/g)) {
    assert.ok(Object.hasOwn(limits, name!), `${name} is no limit`);
  }
});

test('every code and frame that PROTOCOL.md names exists', () => {
  for (const [, name] of doc.matchAll(/`([a-z]+_[a-z_]+)`/g)) {
    assert.ok(Object.hasOwn(codes, name!), `${name} is no code`);
  }
});

test('[PR-10] each frame of the session in PROTOCOL.md is the same in both encodings', () => {
  const lines = [...section('11. A session').matchAll(/^([<>]) (\{.*\})$/gm)];
  assert.ok(lines.length >= 15, `${lines.length} frames`);
  for (const [, direction, text] of lines) {
    const bytes = new TextEncoder().encode(text);
    if (direction === '>') {
      const frame = jsonCodec.decodeClient(bytes, false);
      assert.equal(new TextDecoder().decode(jsonCodec.encode(frame)), text);
      assert.deepEqual(msgpackCodec.decodeClient(msgpackCodec.encode(frame), true), frame);
    } else {
      const frame = jsonCodec.decodeServer(bytes);
      assert.ok(frame, text);
      assert.equal(new TextDecoder().decode(jsonCodec.encode(frame)), text);
      assert.deepEqual(msgpackCodec.decodeServer(msgpackCodec.encode(frame)), frame);
    }
  }
});
