import { Packr } from 'msgpackr';
import { ServiceError } from '../../proto/codes.ts';
import type {
  ContestFrame,
  ContestSnapshot,
  Heads,
  MatchFrame,
  PageAnswer,
  Question,
  RanksAnswer,
  WantAnswer,
  WhoAnswer,
} from './messages.ts';

/**
 * What edges and rankers say to each other, as msgpack. A message is `[number, ...fields]` and a structure
 * inside it `[...fields]`, in the order of the tables below, so that no name travels. Numbers are never
 * reused.
 *
 * Decoding checks the number, the count of the fields and each field's type (the elements of rows are
 * trusted: only rankers write them), and throws a `ServiceError` that is not retryable naming the message
 * and the field.
 */

/** A want answer of 256 small contests of 1,000 entries each is about 20 MB; nothing rightful is longer. */
export const messageBytesMax = 32 * 1024 * 1024;

/** 'string?' and the like: null as well. 'strings': a list of strings; 'list': of anything. */
type Kind = 'string' | 'number' | 'boolean' | 'list' | 'strings' | 'string?' | 'list?' | Struct;
interface Struct {
  shape: Shape;
  list: boolean;
  nullable: boolean;
  nullableItems: boolean;
}
interface Shape {
  name: string;
  fields: [key: string, kind: Kind][];
}

const one = (shape: Shape, nullable = false): Struct => ({
  shape,
  list: false,
  nullable,
  nullableItems: false,
});
const many = (shape: Shape, nullableItems = false): Struct => ({
  shape,
  list: true,
  nullable: false,
  nullableItems,
});

const counts: Shape = {
  name: 'counts',
  fields: [
    ['scores', 'list'],
    ['counts', 'list'],
  ],
};
const matchSnapshot: Shape = {
  name: 'match snapshot',
  fields: [
    ['match', 'string'],
    ['epoch', 'string'],
    ['version', 'number'],
    ['at', 'number'],
    ['pointStep', 'number'],
    ['startsAt', 'number'],
    ['final', 'boolean'],
    ['players', 'list'],
    ['label', 'string?'],
  ],
};
const contestSnapshot: Shape = {
  name: 'contest snapshot',
  fields: [
    ['contest', 'string'],
    ['kind', 'string'],
    ['match', 'string?'],
    ['epoch', 'string'],
    ['version', 'number'],
    ['at', 'number'],
    ['scoreStep', 'number'],
    ['prizes', 'number'],
    ['final', 'boolean'],
    ['total', 'number'],
    ['entries', 'list?'],
    ['counts', one(counts, true)],
    ['top', 'list'],
    ['matchState', one(matchSnapshot, true)],
  ],
};
const smallChange: Shape = {
  name: 'small contest change',
  fields: [
    ['contest', 'string'],
    ['total', 'number'],
    ['prizes', 'number'],
    ['final', 'boolean'],
    ['entries', 'list?'],
  ],
};
const matchFrame: Shape = {
  name: 'match frame',
  fields: [
    ['match', 'string'],
    ['epoch', 'string'],
    ['base', 'number'],
    ['version', 'number'],
    ['at', 'number'],
    ['startsAt', 'number'],
    ['final', 'boolean'],
    ['players', 'list'],
    ['roster', 'list?'],
    ['label', 'string?'],
    ['contests', many(smallChange)],
  ],
};
const contestFrame: Shape = {
  name: 'contest frame',
  fields: [
    ['contest', 'string'],
    ['epoch', 'string'],
    ['base', 'number'],
    ['version', 'number'],
    ['at', 'number'],
    ['total', 'number'],
    ['prizes', 'number'],
    ['final', 'boolean'],
    ['players', 'list'],
    ['roster', 'list?'],
    ['counts', one(counts)],
    ['whole', 'boolean'],
    ['top', 'list'],
    ['changedUsers', 'list?'],
    ['changedScores', 'list?'],
  ],
};
const heads: Shape = {
  name: 'heads',
  fields: [
    ['partition', 'number'],
    ['replica', 'number'],
    ['version', 'number'],
    ['contests', 'list'],
    ['matches', 'list'],
  ],
};
const wantQuestion: Shape = {
  name: 'want question',
  fields: [
    ['edge', 'string'],
    ['leaseMs', 'number'],
    ['contests', 'strings'],
    ['matches', 'strings'],
    ['renewContests', 'strings'],
    ['renewMatches', 'strings'],
  ],
};
const whoQuestion: Shape = {
  name: 'who question',
  fields: [
    ['contest', 'string'],
    ['users', 'strings'],
  ],
};
const ranksQuestion: Shape = {
  name: 'ranks question',
  fields: [
    ['contest', 'string'],
    ['entries', 'strings'],
    ['minVersion', 'number'],
    ['waitMs', 'number'],
  ],
};
const pageQuestion: Shape = {
  name: 'page question',
  fields: [
    ['contest', 'string'],
    ['page', 'number'],
    ['minVersion', 'number'],
    ['waitMs', 'number'],
  ],
};
const wantAnswer: Shape = {
  name: 'want answer',
  fields: [
    ['version', 'number'],
    ['contests', many(contestSnapshot, true)],
    ['matches', many(matchSnapshot, true)],
  ],
};
const whoAnswer: Shape = {
  name: 'who answer',
  fields: [
    ['version', 'number'],
    ['touched', 'number'],
    ['epoch', 'string'],
    ['users', 'list?'],
  ],
};
const ranksAnswer: Shape = {
  name: 'ranks answer',
  fields: [
    ['outcome', 'string'],
    ['version', 'number'],
    ['appliedVersion', 'number'],
    ['scoreStep', 'number'],
    ['ranks', 'list'],
  ],
};
const pageAnswer: Shape = {
  name: 'page answer',
  fields: [
    ['outcome', 'string'],
    ['version', 'number'],
    ['total', 'number'],
    ['scoreStep', 'number'],
    ['rows', 'list'],
  ],
};

const questionShapes = { want: wantQuestion, who: whoQuestion, ranks: ranksQuestion, page: pageQuestion };
const questionNumbers = { want: 1, who: 2, ranks: 3, page: 4 } as const;
const numbers = {
  wantAnswer: 11,
  whoAnswer: 12,
  ranksAnswer: 13,
  pageAnswer: 14,
  contestFrame: 21,
  matchFrame: 22,
  heads: 23,
  contestSnapshot: 31,
} as const;

export function encodeQuestion(question: Question): Uint8Array {
  return encode(questionNumbers[question.q], questionShapes[question.q], question);
}
export function decodeQuestion(bytes: Uint8Array): Question {
  const message = unpack(bytes, 'question');
  for (const q of ['want', 'who', 'ranks', 'page'] as const) {
    if (message[0] === questionNumbers[q]) {
      return { q, ...fromFields(questionShapes[q], message, 1) } as unknown as Question;
    }
  }
  throw fault('question', `${String(message[0])} is not the number of a question`);
}

export const encodeWantAnswer = (answer: WantAnswer): Uint8Array =>
  encode(numbers.wantAnswer, wantAnswer, answer);
export const decodeWantAnswer = (bytes: Uint8Array): WantAnswer =>
  decode(numbers.wantAnswer, wantAnswer, bytes);

export const encodeWhoAnswer = (answer: WhoAnswer): Uint8Array =>
  encode(numbers.whoAnswer, whoAnswer, answer);
export const decodeWhoAnswer = (bytes: Uint8Array): WhoAnswer => decode(numbers.whoAnswer, whoAnswer, bytes);

export const encodeRanksAnswer = (answer: RanksAnswer): Uint8Array =>
  encode(numbers.ranksAnswer, ranksAnswer, answer);
export const decodeRanksAnswer = (bytes: Uint8Array): RanksAnswer =>
  decode(numbers.ranksAnswer, ranksAnswer, bytes);

export const encodePageAnswer = (answer: PageAnswer): Uint8Array =>
  encode(numbers.pageAnswer, pageAnswer, answer);
export const decodePageAnswer = (bytes: Uint8Array): PageAnswer =>
  decode(numbers.pageAnswer, pageAnswer, bytes);

export const encodeContestFrame = (frame: ContestFrame): Uint8Array =>
  encode(numbers.contestFrame, contestFrame, frame);
export const decodeContestFrame = (bytes: Uint8Array): ContestFrame =>
  decode(numbers.contestFrame, contestFrame, bytes);

export const encodeMatchFrame = (frame: MatchFrame): Uint8Array =>
  encode(numbers.matchFrame, matchFrame, frame);
export const decodeMatchFrame = (bytes: Uint8Array): MatchFrame =>
  decode(numbers.matchFrame, matchFrame, bytes);

export const encodeHeads = (message: Heads): Uint8Array => encode(numbers.heads, heads, message);
export const decodeHeads = (bytes: Uint8Array): Heads => decode(numbers.heads, heads, bytes);

/** The value of `frame_<contest>`. */
export const encodeContestSnapshot = (snapshot: ContestSnapshot): Uint8Array =>
  encode(numbers.contestSnapshot, contestSnapshot, snapshot);
export const decodeContestSnapshot = (bytes: Uint8Array): ContestSnapshot =>
  decode(numbers.contestSnapshot, contestSnapshot, bytes);

// int64AsType: offsets and times above 2^32 that another encoder wrote as 64-bit integers are numbers here.
const packr = new Packr({ useRecords: false, int64AsType: 'number' });

function encode(number: number, shape: Shape, message: object): Uint8Array {
  return packr.pack(toFields(shape, message, [number]));
}

function toFields(shape: Shape, value: object, out: unknown[]): unknown[] {
  const from = value as Record<string, unknown>;
  for (const [key, kind] of shape.fields) {
    const field = from[key];
    if (typeof kind === 'string' || field === null) out.push(field);
    else if (!kind.list) out.push(toFields(kind.shape, field as object, []));
    else {
      out.push((field as (object | null)[]).map((item) => (item ? toFields(kind.shape, item, []) : null)));
    }
  }
  return out;
}

function decode<T>(number: number, shape: Shape, bytes: Uint8Array): T {
  const message = unpack(bytes, shape.name);
  if (message[0] !== number) throw fault(shape.name, `its number is ${String(message[0])}, not ${number}`);
  return fromFields(shape, message, 1) as T;
}

function unpack(bytes: Uint8Array, name: string): unknown[] {
  if (bytes.byteLength > messageBytesMax) {
    throw fault(name, `${bytes.byteLength} bytes are more than the ${messageBytesMax} allowed`);
  }
  let message: unknown;
  try {
    message = packr.unpack(bytes);
  } catch (error) {
    throw fault(name, 'it is not msgpack', error);
  }
  if (!Array.isArray(message)) throw fault(name, 'it is not an array');
  return message;
}

function fromFields(shape: Shape, values: unknown[], offset: number): Record<string, unknown> {
  const { fields } = shape;
  if (values.length !== fields.length + offset) {
    throw fault(shape.name, `it has ${values.length - offset} fields, not ${fields.length}`);
  }
  const out: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; i += 1) {
    const [key, kind] = fields[i]!;
    const value = values[i + offset];
    out[key] =
      typeof kind === 'string'
        ? checked(shape, key, kind, value)
        : fromStruct(kind, value, `${shape.name}.${key}`);
  }
  return out;
}

function fromStruct(kind: Struct, value: unknown, where: string): unknown {
  if (value === null && kind.nullable) return null;
  if (!Array.isArray(value)) throw fault(where, 'it is not a list');
  if (!kind.list) return fromFields(kind.shape, value, 0);
  return value.map((item: unknown) => {
    if (item === null && kind.nullableItems) return null;
    if (!Array.isArray(item)) throw fault(where, 'an item is not a list of fields');
    return fromFields(kind.shape, item, 0);
  });
}

function checked(shape: Shape, key: string, kind: Exclude<Kind, Struct>, value: unknown): unknown {
  const right = ((): boolean => {
    switch (kind) {
      case 'string':
        return typeof value === 'string';
      case 'string?':
        return value === null || typeof value === 'string';
      case 'number':
        return typeof value === 'number' && Number.isFinite(value);
      case 'boolean':
        return typeof value === 'boolean';
      case 'list':
        return Array.isArray(value);
      case 'list?':
        return value === null || Array.isArray(value);
      case 'strings':
        return Array.isArray(value) && value.every((item) => typeof item === 'string');
      default:
        return kind satisfies never;
    }
  })();
  if (!right) throw fault(`${shape.name}.${key}`, `it is not of kind ${kind}`);
  return value;
}

function fault(where: string, what: string, cause?: unknown): ServiceError {
  return new ServiceError(`bad message on the bus: ${where}: ${what}`, false, cause);
}
