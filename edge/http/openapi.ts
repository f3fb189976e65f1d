/** The OpenAPI document of the HTTP interface; openapi.test.ts compares it with the routes, both ways. */
import { codes } from '../../proto/codes.ts';
import { channelExample, ref, type Schema, schemas } from './openapi-schemas.ts';
import type { Caller, Method } from './router.ts';

interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  description: string;
  schema: Schema;
}
interface Operation {
  operationId: string;
  summary: string;
  security: Record<string, never[]>[];
  parameters: Parameter[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
}
type Code = keyof typeof codes;

interface Operating {
  summary: string;
  caller: Caller;
  query?: Parameter[];
  body?: { type: string; schema: Schema; example: string };
  status?: number;
  answer: Schema | null;
  example?: unknown;
  /** Codes of errors beside those of every call of this kind. */
  errors?: Code[];
}

const id: Schema = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,36}$' };
const whole: Schema = { type: 'integer', minimum: 0 };

const query = (name: string, schema: Schema, description: string, required = false): Parameter => ({
  name,
  in: 'query',
  required,
  description,
  schema,
});
const minVersion = query('minVersion', whole, 'Wait up to 2 s until this version has been applied.');
const offset = query('offset', whole, 'Items to skip; 0 by default.');
const limit = query('limit', { type: 'integer', minimum: 1, maximum: 500 }, 'Items at most; 50 by default.');
const repeated = (name: string, what: string): Parameter =>
  query(name, { type: 'array', items: id, minItems: 1, maxItems: 500 }, what, true);

const errorsOf: Record<Caller, Code[]> = {
  anyone: [],
  token: ['bad_request', 'invalid_token', 'rate_limited', 'internal', 'unavailable'],
  self: ['bad_request', 'invalid_token', 'forbidden', 'rate_limited', 'internal', 'unavailable'],
  key: ['bad_request', 'unauthorized', 'rate_limited', 'internal', 'unavailable'],
};

function operation(operationId: string, path: string, told: Operating): Operation {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map(
    ([, name = '']): Parameter => ({
      name,
      in: 'path',
      required: true,
      description: pathParameters[name] ?? '',
      schema: name === 'channel' || name === 'topic' ? { type: 'string' } : id,
    }),
  );
  const made: Operation = {
    operationId,
    summary: told.summary,
    security: securityOf(told.caller),
    parameters: [...params, ...(told.query ?? [])],
    responses: responsesOf(told),
  };
  if (told.body !== undefined) {
    const { type, schema, example } = told.body;
    made.requestBody = { required: true, content: { [type]: { schema, example } } };
  }
  return made;
}

const pathParameters: Record<string, string> = {
  contest: 'Id of the contest.',
  user: 'Id of the user.',
  me: 'The user of the token.',
  other: 'Id of another user.',
  id: 'Id of the command.',
  topic: 'contest-events, graph-commands or profiles.',
  channel: 'Name of the channel: kind:id.',
};

function securityOf(caller: Caller): Record<string, never[]>[] {
  if (caller === 'anyone') return [];
  return caller === 'key' ? [{ apiKey: [] }] : [{ token: [] }];
}

function responsesOf({
  caller,
  status = 200,
  answer,
  example,
  errors = [],
}: Operating): Record<string, unknown> {
  const content = answer === null ? {} : { content: { 'application/json': { schema: answer, example } } };
  const responses: Record<string, unknown> = { [status]: { description: 'Done.', ...content } };
  const byStatus = new Map<number, Code[]>();
  for (const code of [...errorsOf[caller], ...errors]) {
    const list = byStatus.get(codes[code].http);
    if (list === undefined) byStatus.set(codes[code].http, [code]);
    else if (!list.includes(code)) list.push(code);
  }
  for (const [errorStatus, list] of byStatus) {
    responses[errorStatus] = {
      description: list.map((code) => `\`${code}\`: ${codes[code].about}`).join(' '),
      content: { 'application/json': { schema: ref('Error') } },
    };
  }
  return responses;
}

const lines = {
  type: 'application/x-ndjson',
  schema: { type: 'string', description: 'A record a line.' } as Schema,
};
const commandTaken = {
  status: 202,
  answer: ref('CommandTaken'),
  example: { command: 'k3' },
  errors: ['self' as const],
};

/** In the order of the interface's description. */
const operations: [Method, string, string, Operating][] = [
  [
    'GET',
    '/v1/contests/{contest}/leaderboard',
    'readLeaderboard',
    {
      summary: '500 rows of a leaderboard: the newest version, or one that is kept.',
      caller: 'token',
      query: [
        query('page', whole, 'Page of 500 rows, from 0.'),
        minVersion,
        query('version', whole, 'Exactly this version, one of those kept; not beside `minVersion`.'),
      ],
      answer: ref('Leaderboard'),
      example: {
        version: 42,
        total: 2,
        scoreStep: 0.5,
        rows: [
          [1, 'e1', 71],
          [2, 'e2', 64],
        ],
      },
      errors: ['unknown_contest', 'unknown_version', 'version_timeout'],
    },
  ],
  [
    'GET',
    '/v1/contests/{contest}/versions',
    'readVersions',
    {
      summary: 'Versions of a leaderboard that are kept, newest first.',
      caller: 'token',
      query: [limit, query('before', whole, 'Only versions before this one: the last of the former answer.')],
      answer: ref('Versions'),
      example: { versions: [{ version: 42, at: 1_700_000_000_000, total: 2, pages: 1, final: true }] },
      errors: ['unknown_contest'],
    },
  ],
  [
    'GET',
    '/v1/contests/{contest}/ranks',
    'readRanks',
    {
      summary: 'Exact score and rank of entries; those not in the contest are left out.',
      caller: 'token',
      query: [repeated('entry', 'Ids of entries, up to 500.'), minVersion],
      answer: ref('Ranks'),
      example: {
        version: 42,
        appliedVersion: 42,
        scoreStep: 0.5,
        ranks: [{ entry: 'e2', score: 64, rank: 2 }],
      },
      errors: ['unknown_contest', 'unknown_version', 'version_timeout'],
    },
  ],
  [
    'GET',
    '/v1/users/{user}/followers',
    'readFollowers',
    {
      summary: 'Who follows a user, nearest first.',
      caller: 'token',
      query: [offset, limit],
      answer: ref('UserList'),
      example: { total: 1, items: [{ user: '1003', affinity: 0.5 }] },
      errors: ['rebuilding'],
    },
  ],
  [
    'GET',
    '/v1/users/{user}/following',
    'readFollowing',
    {
      summary: 'Whom a user follows, nearest first.',
      caller: 'token',
      query: [offset, limit],
      answer: ref('UserList'),
      example: { total: 1, items: [{ user: '1002', affinity: 0.25 }] },
      errors: ['rebuilding'],
    },
  ],
  [
    'GET',
    '/v1/users/{user}/counts',
    'readCounts',
    {
      summary: 'How many follow a user, and how many the user follows.',
      caller: 'token',
      answer: ref('Counts'),
      example: { followers: 1, following: 0 },
      errors: ['rebuilding'],
    },
  ],
  [
    'GET',
    '/v1/commands/{id}',
    'readCommand',
    {
      summary: 'What became of a command within 24 h.',
      caller: 'token',
      answer: ref('CommandState'),
      example: { state: 'rejected', code: 'blocked', message: '1002 has blocked 1003.' },
      errors: ['not_found'],
    },
  ],
  [
    'GET',
    '/v1/profiles',
    'readProfiles',
    {
      summary: 'Profiles of users; those without one are left out.',
      caller: 'token',
      query: [repeated('user', 'Ids of users, up to 500.')],
      answer: ref('Profiles'),
      example: { profiles: [{ user: '1003', name: 'Mia', avatar: 'https://cdn.example/1003.webp' }] },
    },
  ],
  [
    'PUT',
    '/v1/users/{me}/following/{other}',
    'follow',
    { summary: 'Follow; answered once the log has it.', caller: 'self', ...commandTaken },
  ],
  [
    'DELETE',
    '/v1/users/{me}/following/{other}',
    'unfollow',
    { summary: 'Follow no more.', caller: 'self', ...commandTaken },
  ],
  [
    'PUT',
    '/v1/users/{me}/blocked/{other}',
    'block',
    { summary: 'Block: both follows end, none can begin.', caller: 'self', ...commandTaken },
  ],
  [
    'DELETE',
    '/v1/users/{me}/blocked/{other}',
    'unblock',
    { summary: 'Block no more.', caller: 'self', ...commandTaken },
  ],
  [
    'POST',
    '/v1/ingest/{topic}',
    'ingest',
    {
      summary: 'Records in, one a line; each stands for itself.',
      caller: 'key',
      body: { ...lines, example: '{"type":"final","id":"r9","at":1700000000000,"match":"m1"}\n' },
      answer: ref('Ingested'),
      example: {
        taken: 1,
        versions: [{ key: 'm1', version: 42 }],
        refused: [{ line: 2, code: 'bad_json', message: 'The line is not one JSON object.' }],
      },
      errors: ['unknown_topic', 'body_too_large'],
    },
  ],
  [
    'GET',
    '/v1/dead-letters',
    'readDeadLetters',
    {
      summary: 'Records that were refused, oldest first: what, where and why.',
      caller: 'key',
      query: [query('from', whole, 'Where to begin; 0: the oldest.'), limit],
      answer: ref('DeadLetters'),
      example: {
        next: 1,
        items: [
          {
            id: 'contest-events/0/41/all',
            topic: 'contest-events',
            partition: 0,
            offset: 41,
            code: 'no_such_player',
            message: 'player p9 is not in match m1',
            item: null,
            record: '{"type":"points","id":"r1","at":1700000000000,"match":"m1","player":"p9","points":4}',
          },
        ],
      },
    },
  ],
  [
    'POST',
    '/v1/publish',
    'publish',
    {
      summary: 'Messages for feed: and user: channels: one JSON object, or one a line.',
      caller: 'key',
      body: {
        type: 'application/json',
        schema: ref('Message'),
        example: '{"channel":"user:1003","id":"n1","data":{"type":"gift"}}',
      },
      answer: ref('Published'),
      example: { positions: [{ channel: 'user:1003', id: 'n1', epoch: 'a1', position: 7 }], refused: [] },
      errors: ['bad_channel', 'bad_json', 'bad_field', 'future_at', 'body_too_large'],
    },
  ],
  [
    'POST',
    '/v1/users/{user}/disconnect',
    'disconnectUser',
    { summary: 'End the sockets of a user, on every edge.', caller: 'key', status: 204, answer: null },
  ],
  [
    'GET',
    '/v1/channels/{channel}',
    'readChannel',
    {
      summary: 'Who listens to a channel.',
      caller: 'key',
      answer: ref('Channel'),
      example: channelExample,
      errors: ['bad_channel'],
    },
  ],
  [
    'GET',
    '/v1/socket',
    'openSocket',
    {
      summary: 'WebSocket upgrade; subprotocols rankcast.msgpack and rankcast.json (see PROTOCOL.md).',
      caller: 'anyone',
      status: 101,
      answer: null,
      errors: ['upgrade_required', 'forbidden', 'rate_limited', 'overloaded', 'moved'],
    },
  ],
  [
    'GET',
    '/openapi.json',
    'readOpenapi',
    { summary: 'This document.', caller: 'anyone', answer: { type: 'object' }, example: {} },
  ],
];

function pathsOf(): Record<string, Record<string, Operation>> {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const [method, path, operationId, told] of operations) {
    const item = paths[path] ?? {};
    item[method.toLowerCase()] = operation(operationId, path, told);
    paths[path] = item;
  }
  return paths;
}

export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Rankcast',
    version: '1',
    description: 'Leaderboards, exact ranks, followers and feeds. Live: the socket at /v1/socket.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  paths: pathsOf(),
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'A token of a user (JWT).' },
      apiKey: { type: 'http', scheme: 'bearer', description: 'A key of a back end.' },
    },
    schemas,
  },
};
