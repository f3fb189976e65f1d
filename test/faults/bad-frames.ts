import type { CodeName } from '../../proto/codes.ts';

/** A frame (or what is sent for one) that an edge must refuse, by which code, saying what. */
export interface BadFrame {
  name: string;
  /** Text on rankcast.json, bytes on rankcast.msgpack. */
  send: string | Uint8Array;
  /** Sent after a good `connect`; else instead of it. */
  afterConnect: boolean;
  code: CodeName;
  /** The sentence must match. */
  says: RegExp;
  /** The answer ends the socket; else it is an `error` frame and the socket goes on. */
  closes: boolean;
}

const text = (name: string, send: unknown, says: RegExp): BadFrame => ({
  name,
  send: typeof send === 'string' ? send : JSON.stringify(send),
  afterConnect: true,
  code: 'bad_frame',
  says,
  closes: true,
});
const bytes = (name: string, hex: string, says: RegExp): BadFrame => ({
  name,
  send: Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
  afterConnect: true,
  code: 'bad_frame',
  says,
  closes: true,
});
const request = (name: string, send: object, code: CodeName, says: RegExp): BadFrame => ({
  name,
  send: JSON.stringify(send),
  afterConnect: true,
  code,
  says,
  closes: false,
});

export const badFrames: BadFrame[] = [
  text('no JSON', '{"t":"ping",', /JSON/i),
  text('not an object', '[1,2]', /object/),
  text('null', 'null', /object/),
  text('no name', { id: 1 }, /`?t`?/),
  text('unknown name', { t: 'shout', id: 1 }, /shout/),
  text('a frame of the edge', { t: 'pong', id: 1, serverTime: 1 }, /pong/),
  text('id missing', { t: 'ping' }, /id/),
  text('id negative', { t: 'ping', id: -1 }, /id/),
  text('id a fraction', { t: 'ping', id: 1.5 }, /id/),
  text('id too large', { t: 'ping', id: 2 ** 40 }, /id/),
  text('channel a number', { t: 'subscribe', id: 1, channel: 7 }, /channel/),
  text('channel too long', { t: 'subscribe', id: 1, channel: `contest:${'x'.repeat(100)}` }, /channel/),
  text('since without epoch', { t: 'subscribe', id: 1, channel: 'contest:c', since: 4 }, /since|epoch/),
  text('since negative', { t: 'subscribe', id: 1, channel: 'contest:c', epoch: 'e', since: -4 }, /since/),
  text('a second connect', { t: 'connect', token: 'x' }, /connect/),
  { ...text('another frame first', { t: 'ping', id: 1 }, /connect/), afterConnect: false },
  { ...text('binary where text is spoken', '', /text|binary/), send: Uint8Array.of(0x91, 5) },
  bytes('empty', '', /./),
  bytes('not an array', 'a3666f6f', /array/),
  bytes('unknown number', '92 63 01', /99/),
  bytes('cut short', '92 05', /./),
  bytes('trailing bytes', '92 05 01 c0', /./),
  bytes('too many fields', '93 05 01 01', /./),
  bytes('id a string', '92 05 a1 31', /id/),
  bytes('string that is no UTF-8', '93 03 01 a2 c3 28', /UTF-8|channel/),
  bytes('an array of 4 billion', 'dd ff ff ff ff', /./),
  {
    name: 'longer than a frame may be',
    send: JSON.stringify({ t: 'subscribe', id: 1, channel: 'x'.repeat(20_000) }),
    afterConnect: true,
    code: 'frame_too_large',
    says: /^/,
    closes: true,
  },
  request('no such prefix', { t: 'subscribe', id: 1, channel: 'room:c1' }, 'bad_channel', /room/),
  request('no id', { t: 'subscribe', id: 1, channel: 'contest:' }, 'bad_channel', /contest:/),
  request('a space', { t: 'subscribe', id: 1, channel: 'contest:a b' }, 'bad_channel', /a b/),
  request('unknown contest', { t: 'subscribe', id: 1, channel: 'contest:none' }, 'unknown_contest', /none/),
  request('unknown match', { t: 'subscribe', id: 1, channel: 'match:none' }, 'unknown_match', /none/),
  request('somebody else’s feed', { t: 'subscribe', id: 1, channel: 'feed:other' }, 'forbidden', /other/),
  request('notices of another', { t: 'subscribe', id: 1, channel: 'user:other' }, 'forbidden', /other/),
  request('not subscribed', { t: 'unsubscribe', id: 1, channel: 'feed:me' }, 'not_subscribed', /feed:me/),
  request('refresh with nonsense', { t: 'refresh', id: 1, token: 'a.b.c' }, 'invalid_token', /token/i),
];
