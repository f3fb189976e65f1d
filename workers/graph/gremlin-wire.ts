import type { Bytecode } from 'gremlin';
import binary from 'gremlin/lib/structure/io/binary/GraphBinary.js';

/** What goes over a Gremlin WebSocket: GraphBinary 1.0, as Neptune and every Gremlin Server take it. */

const mimeType = 'application/vnd.graphbinary-v1.0';
const header = Buffer.concat([Buffer.from([mimeType.length]), Buffer.from(mimeType)]);

/**
 * A number of a stated type. The client library writes 1 as Int and 0.5 as Double, so that a property's type
 * would change with its value; stores with a schema do not take that.
 */
export class Typed {
  readonly type: 'double' | 'long';
  readonly value: number;
  constructor(type: 'double' | 'long', value: number) {
    this.type = type;
    this.value = value;
  }
}

binary.anySerializer.serializers.unshift({
  canBeUsedFor: (value) => value instanceof Typed,
  serialize(value, fullyQualified = true) {
    const { type, value: number } = value as Typed;
    const serializer = type === 'double' ? binary.doubleSerializer : binary.longSerializer;
    return serializer.serialize(number, fullyQualified);
  },
});

/** One answer to a request; there may be several parts. */
export interface Answer {
  requestId: string | null;
  code: number;
  message: string;
  /** Of a traversal: what came out at its end. */
  rows: unknown[];
}

export const answerCodes = { done: 200, nothing: 204, part: 206, challenge: 407 } as const;

/** `timeoutMs`: how long the server may work on it. */
export function encodeTraversal(
  requestId: string,
  bytecode: Bytecode,
  source: string,
  timeoutMs: number,
): Buffer {
  const args = { gremlin: bytecode, aliases: { g: source }, evaluationTimeout: timeoutMs };
  return encode(requestId, 'bytecode', args);
}

/** SASL PLAIN, the answer to a challenge. */
export function encodeCredentials(requestId: string, user: string, password: string): Buffer {
  const sasl = Buffer.from(`\0${user}\0${password}`).toString('base64');
  return encode(requestId, 'authentication', { saslMechanism: 'PLAIN', sasl });
}

function encode(requestId: string, op: string, args: object): Buffer {
  const request = { requestId, op, processor: 'traversal', args };
  return Buffer.concat([header, binary.graphBinaryWriter.writeRequest(request)]);
}

/** Throws where the bytes are no answer. */
export function decodeAnswer(bytes: Buffer): Answer {
  const { requestId, status, result } = binary.graphBinaryReader.readResponse(bytes);
  const { code } = status;
  const hasRows = code === answerCodes.done || code === answerCodes.part;
  return {
    requestId: requestId?.toLowerCase() ?? null,
    code,
    message: status.message ?? '',
    rows: hasRows && Array.isArray(result.data) ? rowsOf(result.data) : [],
  };
}

/** Equal rows may come as one with a count. */
function rowsOf(traversers: readonly { object: unknown; bulk: number | bigint }[]): unknown[] {
  const rows: unknown[] = [];
  for (const { object, bulk } of traversers) {
    for (let i = 0; i < Number(bulk); i++) rows.push(object);
  }
  return rows;
}
