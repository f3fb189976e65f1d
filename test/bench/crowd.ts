import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import { type ClientFrame, frameTable, type ServerFrame } from '../../proto/frames.ts';

/** Many sockets in a process of their own, so that their work is not taken for the server's. */

type Numbered = { id: number };
export type CrowdOrder = Numbered &
  (
    | { do: 'open'; port: number; count: number; firsts: string[]; waitsFor: number[] }
    | { do: 'say'; from: number; to: number; bytes: string }
    | { do: 'arm'; reachedId: number; kind: number; count: number; times: boolean }
  );
export interface CrowdAnswer {
  id: number;
  /** ms of the machine's monotonic clock. */
  times: number[];
  payload: string;
}

/** What the crowd waited for has come. */
export interface Reached {
  /** When each frame came, in ms of `nowMs`, where asked for. */
  times: number[];
  /** Of the last one. */
  payload: Buffer;
}

/** ms of a clock that all processes of the machine share. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const child = fileURLToPath(new URL('crowd-process.js', import.meta.url));

export class Crowd {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: CrowdAnswer): void; reject(error: Error): void }>();
  #id = 0;
  #size = 0;

  constructor() {
    this.#process = fork(child, [], { execArgv: [] });
    this.#process.on('message', (answer) => {
      const { id } = answer as CrowdAnswer;
      this.#waiting.get(id)?.resolve(answer as CrowdAnswer);
      this.#waiting.delete(id);
    });
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the crowd has ended'));
    });
  }

  /** How many sockets have been opened. */
  get size(): number {
    return this.#size;
  }

  /**
   * Opens so many sockets; resolves when each has got a frame of each of the kinds (the upgrade alone if
   * none). `firsts`: what each says first.
   */
  async open(
    port: number,
    count: number,
    firsts: readonly ClientFrame[][],
    waitsFor: readonly ServerFrame['t'][],
  ): Promise<void> {
    const kinds = waitsFor.map((kind) => frameTable[kind].no);
    const bytes = firsts.map((frames) => clientBytes(frames).toString('base64'));
    await this.#order({ do: 'open', port, count, firsts: bytes, waitsFor: kinds });
    this.#size += count;
  }

  /** The sockets opened as number `from` up to `to` say the same. */
  async say(from: number, to: number, frames: readonly ClientFrame[]): Promise<void> {
    await this.#order({ do: 'say', from, to, bytes: clientBytes(frames).toString('base64') });
  }

  /** Counts from now on; what is returned resolves when so many frames of the kind have come. */
  async arm(kind: ServerFrame['t'], count: number, times = false): Promise<{ reached: Promise<Reached> }> {
    this.#id += 1;
    const reachedId = this.#id;
    const answer = this.#answer(reachedId);
    await this.#order({ do: 'arm', reachedId, kind: frameTable[kind].no, count, times });
    const reached = answer.then(({ times: at, payload }) => ({
      times: at,
      payload: Buffer.from(payload, 'base64'),
    }));
    return { reached };
  }

  close(): void {
    this.#process.removeAllListeners('exit');
    this.#process.kill();
  }

  #order(order: DistributiveOmit<CrowdOrder, 'id'>): Promise<CrowdAnswer> {
    this.#id += 1;
    const answer = this.#answer(this.#id);
    this.#process.send({ ...order, id: this.#id });
    return answer;
  }
  #answer(id: number): Promise<CrowdAnswer> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Messages of a client, with a mask of zeros: what is masked is the same as what is not. */
function clientBytes(frames: readonly ClientFrame[]): Buffer {
  const parts: Buffer[] = [];
  for (const frame of frames) {
    const payload = msgpackCodec.encode(frame);
    const { length } = payload;
    const head =
      length < 126
        ? [0x82, 0x80 | length, 0, 0, 0, 0]
        : [0x82, 0x80 | 126, length >>> 8, length & 255, 0, 0, 0, 0];
    parts.push(Buffer.from(head), Buffer.from(payload));
  }
  return Buffer.concat(parts);
}
