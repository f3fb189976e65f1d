/** `rankcast.msgpack`: a frame is the array `[number, ...fields]` in MessagePack. */
import { type ClientFrameName, checkMessage, clientFrame, isClientFrameName } from './client-frame.ts';
import type { Codec } from './codec.ts';
import { encodeRanksMsgpack } from './encode-ranks.ts';
import { FrameError } from './frame-error.ts';
import { type ClientFrame, type Frame, frameTable, type ServerFrame } from './frames.ts';
import { limits } from './limits.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { quote } from './text.ts';

const writer = new MsgpackWriter();

const clientNames = new Map<unknown, ClientFrameName>();
const edgeNames = new Map<unknown, ServerFrame['t']>();
for (const [name, row] of Object.entries(frameTable)) {
  if (isClientFrameName(name)) clientNames.set(row.no, name);
  else edgeNames.set(row.no, name as ServerFrame['t']);
}

export const msgpackCodec: Codec = {
  subprotocol: 'rankcast.msgpack',
  binary: true,
  encode,
  encodeRanks: encodeRanksMsgpack,
  decodeClient,
  decodeServer,
};

function encode(frame: Frame): Uint8Array<ArrayBuffer> {
  const row = frameTable[frame.t];
  const fields: readonly string[] = row.fields;
  const values = frame as unknown as Record<string, unknown>;
  let length = fields.length;
  while (length > 0 && values[fields[length - 1]!] === undefined) length--;
  try {
    writer.arrayHeader(length + 1);
    writer.value(row.no);
    for (let i = 0; i < length; i++) writer.value(values[fields[i]!]);
    return writer.take();
  } catch (error) {
    writer.reset(); // half a frame must not precede the next
    throw error;
  }
}

function fault(message: string): FrameError {
  return new FrameError(message);
}

function decodeClient(bytes: Uint8Array, binary?: boolean): ClientFrame {
  checkMessage(bytes, true, binary);
  const reader = new MsgpackReader(bytes, fault);
  const length = reader.arrayHeader('the frame');
  if (length === 0) throw new FrameError('A frame must begin with its number; the array is empty.');
  const no = reader.scalar('the frame’s number');
  const name = clientNames.get(no);
  if (name === undefined) throw new FrameError(`No frame of a client has the number ${quote(no)}.`);
  const fieldsMax = frameTable[name].fields.length;
  if (length - 1 > fieldsMax) {
    throw new FrameError(`${name} has ${fieldsMax} fields at most, not ${length - 1}.`);
  }
  const frame = clientFrame(name, (field, index) =>
    index < length - 1 ? reader.scalar(`${name}.${field}`) : undefined,
  );
  reader.end(`the frame ${name}`);
  return frame;
}

function decodeServer(bytes: Uint8Array): ServerFrame | null {
  const reader = new MsgpackReader(bytes, fault);
  const length = reader.arrayHeader('the frame');
  const name = length === 0 ? undefined : edgeNames.get(reader.scalar('the frame’s number'));
  if (name === undefined) return null;
  const fields: readonly string[] = frameTable[name].fields;
  const frame: Record<string, unknown> = { t: name };
  for (let i = 0; i < fields.length && i < length - 1; i++) {
    const value = reader.value(name, limits.depthMax);
    if (value !== null) frame[fields[i]!] = value;
  }
  if (name === 'message' && frame['data'] === undefined) frame['data'] = null;
  return frame as unknown as ServerFrame;
}
