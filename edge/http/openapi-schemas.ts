/**
 * JSON Schemas of what HTTP answers, in the few words that openapi.test.ts checks: type, properties, items,
 * enum.
 */
import { codes } from '../../proto/codes.ts';

type Type = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

export interface Schema {
  $ref?: string;
  type?: Type | Type[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: false;
  items?: Schema;
  prefixItems?: Schema[];
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  enum?: readonly string[];
}

export const ref = (name: keyof typeof schemas): Schema => ({ $ref: `#/components/schemas/${name}` });

const whole: Schema = { type: 'integer', minimum: 0 };
const id: Schema = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,36}$' };
const text: Schema = { type: 'string' };
const listOf = (items: Schema): Schema => ({ type: 'array', items });

/** All properties are required but those named `optional`. */
function object(properties: Record<string, Schema>, optional: string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

const code: Schema = { type: 'string', enum: Object.keys(codes) };
const refused = listOf(object({ line: { type: 'integer', minimum: 1 }, code, message: text }));
const scoreStep: Schema = { type: 'number', description: 'Points that one unit of `score` is worth.' };
const stale: Schema = {
  type: 'boolean',
  description: 'Present and true: no ranker answers; the last state known.',
};

export const schemas = {
  Error: object({ error: object({ code, message: text }) }),
  Leaderboard: object(
    {
      version: whole,
      total: whole,
      scoreStep,
      rows: {
        type: 'array',
        maxItems: 500,
        items: {
          type: 'array',
          description: 'Rank, entry, score.',
          prefixItems: [{ type: 'integer', minimum: 1 }, id, { type: 'integer' }],
          minItems: 3,
          maxItems: 3,
        },
      },
      stale,
    },
    ['stale'],
  ),
  Ranks: object(
    {
      version: whole,
      appliedVersion: whole,
      scoreStep,
      ranks: listOf(object({ entry: id, score: { type: 'integer' }, rank: { type: 'integer', minimum: 1 } })),
      stale,
    },
    ['stale'],
  ),
  Versions: object({
    versions: listOf(
      object({
        version: whole,
        at: { ...whole, description: 'Event time of the newest record in it, ms since the epoch.' },
        total: whole,
        pages: { ...whole, description: 'Pages kept, from the first; of a final board all.' },
        final: { type: 'boolean', description: 'Nothing more will come.' },
      }),
    ),
  }),
  UserList: object({
    total: whole,
    items: listOf(object({ user: id, affinity: { type: 'number', minimum: 0, maximum: 1 } })),
  }),
  Counts: object({ followers: whole, following: whole }),
  CommandTaken: object({ command: id }),
  CommandState: object(
    { state: { type: 'string', enum: ['pending', 'applied', 'rejected'] }, code, message: text },
    ['code', 'message'],
  ),
  Profiles: object({ profiles: listOf(object({ user: id, name: text, avatar: text }, ['avatar'])) }),
  Ingested: object({ taken: whole, versions: listOf(object({ key: text, version: whole })), refused }),
  DeadLetters: object({
    next: { ...whole, description: 'Where to go on.' },
    items: listOf(
      object({
        id: text,
        topic: text,
        partition: { type: ['integer', 'null'], description: 'null: refused at the way in.' },
        offset: { type: ['integer', 'null'] },
        code,
        message: text,
        item: {
          type: ['integer', 'null'],
          description: 'Index of the refused entry; null: the whole record.',
        },
        record: { ...text, description: 'The record’s text, at most its first 2,048 bytes.' },
      }),
    ),
  }),
  Published: object({
    positions: listOf(object({ channel: text, id, epoch: text, position: { type: 'integer', minimum: 1 } })),
    refused,
  }),
  Channel: object({
    channel: text,
    kind: { type: 'string', enum: ['log', 'state'] },
    subscribers: { ...whole, description: 'Sockets of all edges that answered.' },
    epoch: { type: ['string', 'null'], description: 'null: none of them follows the channel now.' },
    position: { type: ['integer', 'null'], description: 'Newest position of a log, version of a state.' },
    edges: { ...whole, description: 'Edges that answered.' },
    silentEdges: { ...whole, description: 'Edges that are known and did not answer within 300 ms.' },
  }),
  Message: object({ channel: text, id, at: whole, data: { description: 'Any JSON value.' } }, ['at']),
} satisfies Record<string, Schema>;

export const channelExample = {
  ...{ channel: 'contest:c1', kind: 'state', subscribers: 2, epoch: 'a1', position: 42 },
  ...{ edges: 3, silentEdges: 0 },
};
