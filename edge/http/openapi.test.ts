import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playRanker, putPlace, withApi } from './api-harness.conformance.ts';
import { openapi } from './openapi.ts';
import { type Schema, schemas } from './openapi-schemas.ts';

type Operation = (typeof openapi.paths)[string][string];
interface Media {
  schema: Schema;
  example?: unknown;
}

/** What of `value` breaks the schema, a sentence each. */
function breaks(schema: Schema, value: unknown, where = '$'): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/components/schemas/', '');
    const target = (schemas as Record<string, Schema>)[name];
    return target === undefined ? [`${where}: no schema ${name}`] : breaks(target, value, where);
  }
  const wrongs = typeBreaks(schema, value, where);
  if (wrongs.length > 0) return wrongs;
  if (Array.isArray(value)) wrongs.push(...arrayBreaks(schema, value, where));
  else if (typeof value === 'object' && value !== null) wrongs.push(...objectBreaks(schema, value, where));
  else if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      wrongs.push(`${where}: pattern`);
    if (schema.enum !== undefined && !schema.enum.includes(value))
      wrongs.push(`${where}: not one of the enum`);
  } else if (typeof value === 'number') {
    if (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))
      wrongs.push(`${where}: bounds`);
  }
  return wrongs;
}

function typeBreaks({ type }: Schema, value: unknown, where: string): string[] {
  if (type === undefined) return [];
  const types = Array.isArray(type) ? type : [type];
  return types.some((each) => isOf(each, value)) ? [] : [`${where}: no ${types.join(' or ')}`];
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function arrayBreaks(schema: Schema, value: unknown[], where: string): string[] {
  const wrongs: string[] = [];
  if (value.length < (schema.minItems ?? 0)) wrongs.push(`${where}: too short`);
  if (value.length > (schema.maxItems ?? value.length)) wrongs.push(`${where}: too long`);
  value.forEach((item, i) => {
    const of = schema.prefixItems?.[i] ?? schema.items;
    if (of !== undefined) wrongs.push(...breaks(of, item, `${where}[${i}]`));
  });
  return wrongs;
}

function objectBreaks(schema: Schema, value: object, where: string): string[] {
  const wrongs: string[] = [];
  for (const name of schema.required ?? []) if (!(name in value)) wrongs.push(`${where}.${name}: missing`);
  for (const [name, part] of Object.entries(value)) {
    const of = schema.properties?.[name];
    if (of !== undefined) wrongs.push(...breaks(of, part, `${where}.${name}`));
    else if (schema.additionalProperties === false) wrongs.push(`${where}.${name}: not documented`);
  }
  return wrongs;
}

function media(operation: Operation, status: string): Media | undefined {
  const response = operation.responses[status] as { content?: Record<string, Media> } | undefined;
  return response?.content?.['application/json'];
}

test('every route is documented, and every documented path is a route', () =>
  withApi(async ({ api }) => {
    const routes = api.routes.map(({ method, path }) => `${method} ${path}`).sort();
    const documented = Object.entries(openapi.paths)
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
      .sort();
    assert.deepEqual(documented, routes);
    for (const { method, path, caller } of api.routes) {
      const operation = openapi.paths[path]![method.toLowerCase()]!;
      const scheme = caller === 'anyone' ? [] : [caller === 'key' ? { apiKey: [] } : { token: [] }];
      assert.deepEqual(operation.security, scheme, path);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
      const given = operation.parameters.filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        given.map(({ name }) => name),
        named,
      );
      for (const { description } of operation.parameters) assert.ok(description.length > 5, path);
    }
  }));

test('every example fits its schema, and every operation has its own id', () => {
  const ids = new Set<string>();
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const operation of Object.values(item)) {
      assert.ok(!ids.has(operation.operationId), operation.operationId);
      ids.add(operation.operationId);
      const { content } = (operation.requestBody ?? { content: {} }) as { content: Record<string, Media> };
      const message = content['application/json'];
      if (message !== undefined) {
        assert.deepEqual(breaks(message.schema, JSON.parse(String(message.example))), [], path);
      }
      for (const status of Object.keys(operation.responses)) {
        const answer = media(operation, status);
        if (answer === undefined || Number(status) >= 400) continue;
        assert.notEqual(answer.example, undefined, `${path} ${status} has no example`);
        assert.deepEqual(breaks(answer.schema, answer.example), [], path);
      }
    }
  }
});

test('the checker of this file finds what is wrong', () => {
  const { Leaderboard } = schemas;
  const good = { version: 1, total: 1, scoreStep: 0.5, rows: [[1, 'e1', -3]] };
  assert.deepEqual(breaks(Leaderboard, good), []);
  for (const bad of [
    { ...good, version: -1 },
    { ...good, version: 1.5 },
    { ...good, extra: 1 },
    { ...good, rows: [[1, 'e 1', 3]] },
    { ...good, rows: [[1, 'e1']] },
    { ...good, rows: {} },
    { version: 1 },
    null,
  ]) {
    assert.notDeepEqual(breaks(Leaderboard, bad), []);
  }
});

test('what is answered fits the document', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    await playRanker(bench, 42);
    await bench.sets.apply([{ set: 'followers_u1', member: 'u2', score: 0.5 }]);
    const archived = { contest: 'c3', version: 5, at: 1_700_000_000_000, total: 1, pages: 1, final: true };
    const page = { version: 5, total: 1, scoreStep: 0.5, rows: [[1, 'e1', 71]] };
    await bench.archive.save(archived, [Buffer.from(JSON.stringify(page))]);
    const asked: [string, string, string, string?][] = [
      ['GET', '/v1/contests/c1/leaderboard', '/v1/contests/{contest}/leaderboard'],
      ['GET', '/v1/contests/c1/ranks?entry=e1', '/v1/contests/{contest}/ranks'],
      ['GET', '/v1/contests/c1/versions', '/v1/contests/{contest}/versions'],
      ['GET', '/v1/contests/c3/versions', '/v1/contests/{contest}/versions'],
      ['GET', '/v1/contests/c3/leaderboard?version=5', '/v1/contests/{contest}/leaderboard'],
      ['GET', '/v1/contests/c3/leaderboard?version=6', '/v1/contests/{contest}/leaderboard'],
      ['GET', '/v1/contests/c3/ranks?entry=e1', '/v1/contests/{contest}/ranks'],
      ['GET', '/v1/users/u1/followers', '/v1/users/{user}/followers'],
      ['GET', '/v1/users/u1/following', '/v1/users/{user}/following'],
      ['GET', '/v1/users/u1/counts', '/v1/users/{user}/counts'],
      ['PUT', '/v1/users/u1/following/u2', '/v1/users/{me}/following/{other}'],
      ['DELETE', '/v1/users/u1/following/u2', '/v1/users/{me}/following/{other}'],
      ['PUT', '/v1/users/u1/blocked/u2', '/v1/users/{me}/blocked/{other}'],
      ['DELETE', '/v1/users/u1/blocked/u2', '/v1/users/{me}/blocked/{other}'],
      ['GET', '/v1/commands/k1', '/v1/commands/{id}'],
      ['GET', '/v1/profiles?user=u1', '/v1/profiles'],
      ['POST', '/v1/ingest/profiles', '/v1/ingest/{topic}', 'x\n'],
      ['GET', '/v1/dead-letters?from=0', '/v1/dead-letters', ''],
      ['POST', '/v1/publish', '/v1/publish', '{"channel":"user:u1","id":"n","data":1}'],
      ['POST', '/v1/users/u1/disconnect', '/v1/users/{user}/disconnect', ''],
      ['GET', '/v1/channels/user:u1', '/v1/channels/{channel}', ''],
      ['GET', '/v1/socket', '/v1/socket'],
      ['GET', '/openapi.json', '/openapi.json'],
      ['GET', '/v1/contests/nope/leaderboard', '/v1/contests/{contest}/leaderboard'],
      ['GET', '/v1/commands/never', '/v1/commands/{id}'],
      ['PUT', '/v1/users/u9/following/u2', '/v1/users/{me}/following/{other}'],
    ];
    for (const [method, url, path, body] of asked) {
      const answer = body === undefined ? await bench.ask(method, url) : await bench.tell(method, url, body);
      const operation = openapi.paths[path]![method.toLowerCase()]!;
      assert.ok(String(answer.status) in operation.responses, `${url}: ${answer.status} is not documented`);
      const told = media(operation, String(answer.status));
      if (told !== undefined) assert.deepEqual(breaks(told.schema, answer.body), [], url);
    }
    const covered = new Set(asked.map(([method, , path]) => `${method} ${path}`));
    assert.equal(covered.size, bench.api.routes.length);
  }));
