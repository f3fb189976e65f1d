/**
 * What a client's frame must hold: the type and bounds of each field. Both encodings read a frame through
 * `clientFrame`, so that they cannot differ in what they take.
 */
import { FrameError } from './frame-error.ts';
import { type ClientFrame, frameTable } from './frames.ts';
import { limits } from './limits.ts';
import { quote, utf8Length } from './text.ts';

export type ClientFrameName = ClientFrame['t'];

interface TextRule {
  readonly is: 'text';
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly optional: boolean;
}
interface IntegerRule {
  readonly is: 'integer';
  readonly max: number;
  readonly optional: boolean;
}
export type FieldRule = TextRule | IntegerRule;

const id: FieldRule = { is: 'integer', max: limits.requestIdMax, optional: false };
const token: FieldRule = { is: 'text', bytesMin: 1, bytesMax: limits.tokenBytesMax, optional: false };
// An empty name is answered `bad_channel` like every other that breaks the grammar.
const channel: FieldRule = { is: 'text', bytesMin: 0, bytesMax: limits.channelNameBytesMax, optional: false };

export const clientFields = {
  connect: { token, agent: { is: 'text', bytesMin: 0, bytesMax: limits.agentBytesMax, optional: true } },
  subscribe: {
    id,
    channel,
    epoch: { is: 'text', bytesMin: 1, bytesMax: limits.epochBytesMax, optional: true },
    since: { is: 'integer', max: limits.integerMax, optional: true },
  },
  unsubscribe: { id, channel },
  refresh: { id, token },
  ping: { id },
} as const satisfies {
  [T in ClientFrameName]: Record<(typeof frameTable)[T]['fields'][number], FieldRule>;
};

export function isClientFrameName(name: unknown): name is ClientFrameName {
  return typeof name === 'string' && Object.hasOwn(clientFields, name);
}

/**
 * Builds the frame `t` out of `read(field, index)`, which gives undefined or null where the field is absent.
 */
export function clientFrame(
  t: ClientFrameName,
  read: (field: string, index: number) => unknown,
): ClientFrame {
  const rules: Record<string, FieldRule> = clientFields[t];
  const fields: readonly string[] = frameTable[t].fields;
  const frame: Record<string, unknown> = { t };
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const rule = rules[field]!;
    const value = read(field, i) ?? undefined;
    if (value === undefined) {
      if (!rule.optional) throw new FrameError(`${t}.${field} is missing.`);
    } else if (rule.is === 'text') {
      frame[field] = checkText(`${t}.${field}`, value, rule);
    } else {
      frame[field] = checkInteger(`${t}.${field}`, value, rule);
    }
  }
  const built = frame as unknown as ClientFrame;
  if (built.t === 'subscribe' && (built.epoch === undefined) !== (built.since === undefined)) {
    throw new FrameError('subscribe.epoch and subscribe.since come together or not at all.');
  }
  return built;
}

function checkText(where: string, value: unknown, rule: TextRule): string {
  if (typeof value !== 'string') throw new FrameError(`${where} must be a string, not ${quote(value)}.`);
  const bytes = utf8Length(value);
  if (bytes < 0) throw new FrameError(`${where} holds half a surrogate pair, which is no Unicode text.`);
  if (bytes < rule.bytesMin) throw new FrameError(`${where} must not be empty.`);
  if (bytes > rule.bytesMax) {
    throw new FrameError(`${where} must be at most ${rule.bytesMax} bytes, not ${bytes}.`);
  }
  return value;
}

function checkInteger(where: string, value: unknown, rule: IntegerRule): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > rule.max) {
    throw new FrameError(`${where} must be an integer from 0 to ${rule.max}, not ${quote(value)}.`);
  }
  return value + 0; // -0 becomes 0
}

/** The two checks that come before any decoding. */
export function checkMessage(bytes: Uint8Array, codecIsBinary: boolean, binary: boolean | undefined): void {
  if (bytes.length > limits.frameBytesMax) {
    throw new FrameError(
      `A frame must be at most ${limits.frameBytesMax} bytes, not ${bytes.length}.`,
      'frame_too_large',
    );
  }
  if (binary !== undefined && binary !== codecIsBinary) {
    throw new FrameError(
      codecIsBinary
        ? 'rankcast.msgpack takes binary messages, not text.'
        : 'rankcast.json takes text messages, not binary.',
    );
  }
}
