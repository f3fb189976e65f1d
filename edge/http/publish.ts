/**
 * Messages of back ends for log channels: one JSON object, or one a line. Each stands for itself: what is
 * refused is named with its line, the rest is appended in order.
 */
import type { Bus } from '../../channels/bus/bus.ts';
import { parseChannel } from '../../channels/name.ts';
import { ClientError, type CodeName } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import { isId } from '../../proto/record-fields.ts';
import { quote } from '../../proto/text.ts';

export interface Published {
  /** In the order of the lines. A message published before is answered where it stands. */
  positions: { channel: string; id: string; epoch: string; position: number }[];
  refused: { line: number; code: CodeName; message: string }[];
}

/** Lines of one request: some milliseconds of the log's time. */
export const publishLinesMax = 1_000;

interface Message {
  line: number;
  channel: string;
  id: string;
  at: number;
  data: Uint8Array;
}

/**
 * A single message that is refused is thrown as ClientError. Rejects with ServiceError when the bus fails.
 */
export async function publishAll(bus: Bus, body: Uint8Array, nowMs: number): Promise<Published> {
  const lines = linesOf(body);
  const refused: Published['refused'] = [];
  const messages: Message[] = [];
  for (const { no, text } of lines) {
    try {
      messages.push(parseMessage(no, text, nowMs));
    } catch (error) {
      if (!(error instanceof ClientError) || lines.length === 1) throw error;
      refused.push({ line: no, code: error.code, message: error.message });
    }
  }
  const positions = await Promise.all(
    messages.map(async ({ channel, id, at, data }) => {
      const { epoch, position } = await bus.append(channel, { id, at, data });
      return { channel, id, epoch, position };
    }),
  );
  return { positions, refused };
}

function linesOf(body: Uint8Array): { no: number; text: string }[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new ClientError('bad_json', 'The body is not UTF-8.');
  }
  // One object may be spread over lines.
  if (isJson(text)) return [{ no: 1, text }];
  const lines = text
    .split('\n')
    .map((line, i) => ({ no: i + 1, text: line.trim() }))
    .filter((line) => line.text !== '');
  if (lines.length === 0) {
    throw new ClientError('bad_json', 'The body is empty: a message is {"channel","id","data"}.');
  }
  if (lines.length > publishLinesMax) {
    const message = `The body has ${lines.length} messages; at most ${publishLinesMax} are taken at once.`;
    throw new ClientError('body_too_large', message);
  }
  return lines;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseMessage(line: number, text: string, nowMs: number): Message {
  const fields = parseObject(text);
  const { channel, id, at = nowMs } = fields;
  if (typeof channel !== 'string') throw wrong('channel', 'the name of a log channel', channel);
  const name = parseChannel(channel);
  if (typeof name === 'string') throw new ClientError('bad_channel', name);
  if (name.class !== 'log') {
    const message = `Nothing can be published to ${name.name}: only feed: and user: channels take messages.`;
    throw new ClientError('bad_channel', message);
  }
  if (!isId(id)) throw wrong('id', '1 to 36 of A-Z, a-z, 0-9, _ and -', id);
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) {
    throw wrong('at', 'a time in ms since the epoch', at);
  }
  if (at > nowMs + limits.futureAtMs) {
    throw new ClientError('future_at', `\`at\` is ${at - nowMs} ms ahead of the clock here.`);
  }
  if (fields['data'] === undefined) throw wrong('data', 'any JSON value', undefined);
  return { line, channel: name.name, id, at, data: dataOf(fields['data']) };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ClientError('bad_json', 'The line is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ClientError('bad_json', 'The message is not a JSON object.');
  }
  return value as Record<string, unknown>;
}

function dataOf(value: unknown): Uint8Array {
  if (depth(value) > limits.depthMax) {
    throw new ClientError('bad_field', `\`data\` is nested more than ${limits.depthMax} deep.`);
  }
  const data = Buffer.from(JSON.stringify(value));
  if (data.length > limits.messageBytesMax) {
    const message = `\`data\` is ${data.length} bytes long; ${limits.messageBytesMax} are allowed.`;
    throw new ClientError('body_too_large', message);
  }
  return data;
}

/** Objects and arrays within each other; looks no deeper than needed. */
function depth(value: unknown, level = 0): number {
  if (typeof value !== 'object' || value === null || level > limits.depthMax) return level;
  let deepest = level + 1;
  for (const part of Object.values(value)) deepest = Math.max(deepest, depth(part, level + 1));
  return deepest;
}

function wrong(field: string, wanted: string, value: unknown): ClientError {
  const message =
    value === undefined
      ? `\`${field}\` is missing: it must be ${wanted}.`
      : `\`${field}\` must be ${wanted}, not ${quote(value)}.`;
  return new ClientError('bad_field', message);
}
