/**
 * The process of a crowd (crowd.ts): many sockets that read and count what comes, on bare TCP, so that the
 * clients take as little of the machine from the server measured as they can. Frames are told apart by their
 * second byte, the frame's number in MessagePack.
 */
import { connect, type Socket } from 'node:net';
import type { CrowdAnswer, CrowdOrder } from './crowd.ts';

/** Handshakes under way at once. */
const handshakesMax = 50;
const handshakeEnd = '\r\n\r\n';
const opcodes = { close: 8, ping: 9 } as const;
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

interface Armed {
  id: number;
  left: number;
  times: number[] | null;
}
/** By kind of frame. */
const armedFor = new Map<number, Armed>();
let lost = 0;

const tell = (answer: CrowdAnswer): void => void process.send?.(answer);
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function count(kind: number, bytes: Buffer): void {
  const armed = armedFor.get(kind);
  if (armed === undefined) return;
  armed.times?.push(nowMs());
  armed.left -= 1;
  if (armed.left > 0) return;
  armedFor.delete(kind);
  tell({ id: armed.id, times: armed.times ?? [], payload: bytes.toString('base64') });
}

/** One connection: handshake, then frames of the server. */
class Member {
  readonly socket: Socket;
  /** Kinds of frames that must have come before it counts as open. */
  waitsFor: number[];
  private rest: Buffer | null = null;
  private open = false;
  private readonly first: Buffer | null;
  private readonly onReady: () => void;

  constructor(order: Extract<CrowdOrder, { do: 'open' }>, first: Buffer | null, onReady: () => void) {
    this.waitsFor = [...order.waitsFor];
    this.first = first;
    this.onReady = onReady;
    this.socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.take(chunk));
    this.socket.on('close', () => {
      lost += 1;
    });
    this.socket.on('error', () => {});
    this.socket.write(
      `GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: rankcast.msgpack\r\n\r\n`,
    );
  }

  private take(chunk: Buffer): void {
    let bytes = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = null;
    if (!this.open) {
      const end = bytes.indexOf(handshakeEnd);
      if (end < 0) {
        this.rest = bytes;
        return;
      }
      const status = bytes.toString('latin1', 9, 12);
      if (status !== '101') throw new Error(`an upgrade was answered ${bytes.toString('latin1', 0, 400)}`);
      bytes = bytes.subarray(end + handshakeEnd.length);
      this.open = true;
      if (this.first !== null) this.socket.write(this.first);
      if (this.waitsFor.length === 0) this.onReady();
    }
    this.frames(bytes);
  }

  private frames(bytes: Buffer): void {
    let at = 0;
    while (at + 2 <= bytes.length) {
      let start = at + 2;
      let length = bytes[at + 1]! & 0x7f;
      if (length === 126) {
        if (at + 4 > bytes.length) break;
        length = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (at + 10 > bytes.length) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (start + length > bytes.length) break;
      this.frame(bytes[at]! & 15, bytes, start, length);
      at = start + length;
    }
    // A copy: the chunk would stay in memory for each socket.
    if (at < bytes.length) this.rest = Buffer.from(bytes.subarray(at));
  }

  private frame(opcode: number, bytes: Buffer, start: number, length: number): void {
    if (opcode === opcodes.ping) this.socket.write(pong);
    else if (opcode === opcodes.close) {
      throw new Error(`the server closed: ${bytes.toString('utf8', start + 2, start + length)}`);
    } else {
      const kind = bytes[start + 1]!;
      if (this.waitsFor.length > 0) {
        const place = this.waitsFor.indexOf(kind);
        if (place >= 0) this.waitsFor.splice(place, 1);
        if (place >= 0 && this.waitsFor.length === 0) this.onReady();
      }
      count(kind, bytes.subarray(start, start + length));
    }
  }
}

const members: Member[] = [];

function open(order: Extract<CrowdOrder, { do: 'open' }>): void {
  let ready = 0;
  let begun = 0;
  const next = (): void => {
    if (begun >= order.count) return;
    const first = order.firsts[begun];
    begun += 1;
    members.push(
      new Member(order, first === undefined ? null : Buffer.from(first, 'base64'), () => {
        ready += 1;
        if (ready === order.count) tell({ id: order.id, times: [], payload: '' });
        else next();
      }),
    );
  };
  for (let i = 0; i < handshakesMax; i += 1) next();
}

process.on('message', (order: CrowdOrder) => {
  switch (order.do) {
    case 'open':
      open(order);
      return;
    case 'say': {
      const bytes = Buffer.from(order.bytes, 'base64');
      for (const member of members.slice(order.from, order.to)) member.socket.write(bytes);
      break;
    }
    case 'arm':
      if (lost > 0) throw new Error(`${lost} sockets were lost`);
      armedFor.set(order.kind, {
        id: order.reachedId,
        left: order.count,
        times: order.times ? [] : null,
      });
      break;
    default:
      order satisfies never;
  }
  tell({ id: order.id, times: [], payload: '' });
});
process.on('disconnect', () => process.exit());
