/** `rankcast.json`: a frame is one JSON object, `t` (its name) first. */
import { checkMessage, clientFrame, isClientFrameName } from './client-frame.ts';
import type { Codec } from './codec.ts';
import { encodeRanksJson } from './encode-ranks.ts';
import { FrameError } from './frame-error.ts';
import { type ClientFrame, type Frame, frameTable, type ServerFrame } from './frames.ts';
import { quote } from './text.ts';

const toBytes = new TextEncoder();
const toText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const jsonCodec: Codec = {
  subprotocol: 'rankcast.json',
  binary: false,
  encode,
  encodeRanks: encodeRanksJson,
  decodeClient,
  decodeServer,
};

function encode(frame: Frame): Uint8Array<ArrayBuffer> {
  const values = frame as unknown as Record<string, unknown>;
  let text = `{"t":"${frame.t}"`;
  for (const field of frameTable[frame.t].fields) {
    const value = values[field];
    if (value !== undefined) text += `,"${field}":${JSON.stringify(value)}`;
  }
  return toBytes.encode(`${text}}`);
}

function decodeClient(bytes: Uint8Array, binary?: boolean): ClientFrame {
  checkMessage(bytes, false, binary);
  const values = decodeObject(bytes);
  const name = ownField(values, 't');
  if (name === undefined) throw new FrameError('The frame’s name, t, is missing.');
  if (!isClientFrameName(name)) throw new FrameError(`No frame of a client has the name ${quote(name)}.`);
  const fields: readonly string[] = frameTable[name].fields;
  for (const key of Object.keys(values)) {
    if (key !== 't' && !fields.includes(key)) throw new FrameError(`${name} has no field ${quote(key)}.`);
  }
  return clientFrame(name, (field) => ownField(values, field));
}

function decodeServer(bytes: Uint8Array): ServerFrame | null {
  const values = decodeObject(bytes);
  const name = ownField(values, 't');
  if (typeof name !== 'string' || !Object.hasOwn(frameTable, name) || isClientFrameName(name)) return null;
  const frame: Record<string, unknown> = { t: name };
  for (const field of frameTable[name as ServerFrame['t']].fields) {
    const value = ownField(values, field);
    if (value !== undefined && value !== null) frame[field] = value;
  }
  if (name === 'message' && frame['data'] === undefined) frame['data'] = null;
  return frame as unknown as ServerFrame;
}

function decodeObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = toText.decode(bytes);
  } catch {
    throw new FrameError('The message is not valid UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError(`The message is not JSON: ${quote(text)}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError(`A frame must be a JSON object, not ${quote(value)}.`);
  }
  return value as Record<string, unknown>;
}

function ownField(values: Record<string, unknown>, field: string): unknown {
  return Object.hasOwn(values, field) ? values[field] : undefined;
}
