import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { LogMessage, Position } from './bus.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { Argument, RedisConnection } from './connection.redis.ts';
import { closedError, serviceError } from './faults.redis.ts';
import type { Layout, LogPlace } from './layout.redis.ts';
import { appendScript } from './scripts.redis.ts';
import type { Shards } from './shards.redis.ts';

export interface AppendsParts {
  clock: Clock;
  options: RedisBusOptions;
  layout: Layout;
  shards: Shards;
}

interface Append {
  readonly message: LogMessage;
  readonly deadlineAt: number;
  resolve(position: Position): void;
  reject(error: ServiceError): void;
}
/** The appends to one channel that have no answer yet, in the order of the calls. */
interface Lane {
  readonly place: LogPlace;
  readonly queue: Append[];
  /** How many of the first are under way: one step at a time, so that a repeat cannot overtake. */
  sending: number;
}

/**
 * Appends, in order for each channel: a channel has at most one step under way, made of all that waited for
 * it; a step whose answer was lost is sent again before anything that came later, and the ids see to it that
 * it counts once. Steps of different channels go side by side, all of one turn in one write.
 */
export class Appends {
  readonly #parts: AppendsParts;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something to send, by partition. */
  readonly #ready = new Map<number, Lane[]>();
  readonly #paused = new Set<number>();
  /**
   * Steps without an answer yet. Other commands of the connection do not count: their answers wake nothing
   * here, so what waited for them alone would lie still.
   */
  readonly #underWay = new WeakMap<RedisConnection, number>();
  #count = 0;
  #bytes = 0;
  #scheduled = false;
  #closed = false;

  constructor(parts: AppendsParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#count;
  }

  append(channel: string, message: LogMessage): Promise<Position> {
    const { clock, options } = this.#parts;
    if (this.#closed) return Promise.reject(closedError());
    if (this.#count >= options.appendsMax || this.#bytes >= options.appendBytesMax) {
      const sentence = `The bus is behind: ${this.#count} messages wait to be appended; try again.`;
      return Promise.reject(new ServiceError(sentence, true));
    }
    this.#count++;
    this.#bytes += message.data.length;
    return new Promise((resolve, reject) => {
      const append = { message, deadlineAt: clock.now() + options.callTimeoutMs, resolve, reject };
      const lane = this.#lanes.get(channel);
      if (lane !== undefined) {
        lane.queue.push(append);
        return;
      }
      const made: Lane = { place: this.#parts.layout.log(channel), queue: [append], sending: 0 };
      this.#lanes.set(channel, made);
      this.#makeReady(made);
    });
  }

  /** Connections have come, or answers have made room. */
  wake(): void {
    if (this.#scheduled || this.#ready.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const partition of this.#ready.keys()) this.#send(partition);
    });
  }

  /** Refuses what has waited too long; what is under way is settled by its answer or the connection's end. */
  tick(): void {
    const now = this.#parts.clock.now();
    const { shards } = this.#parts;
    for (const [channel, lane] of this.#lanes) {
      const { queue, sending } = lane;
      let late = sending;
      while (late < queue.length && queue[late]!.deadlineAt <= now) late++;
      if (late === sending) continue;
      const error = new ServiceError(`Redis cannot be reached: ${shards.fault()}`, true);
      for (const append of queue.splice(sending, late - sending)) this.#fail(append, error);
      if (queue.length === 0) this.#lanes.delete(channel);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { queue } of this.#lanes.values()) {
      for (const append of queue.splice(0)) this.#fail(append, closedError());
    }
    this.#lanes.clear();
    this.#ready.clear();
  }

  #makeReady(lane: Lane): void {
    const { partition } = lane.place;
    const lanes = this.#ready.get(partition);
    if (lanes === undefined) this.#ready.set(partition, [lane]);
    else lanes.push(lane);
    this.wake();
  }

  #send(partition: number): void {
    const { shards, options } = this.#parts;
    const connection = shards.connection(partition);
    if (connection === null || this.#paused.has(partition)) return;
    const lanes = this.#ready.get(partition)!;
    let done = 0;
    while (done < lanes.length && this.#stepsOn(connection) < options.scriptsInFlightMax) {
      const lane = lanes[done++]!;
      if (lane.queue.length > 0) void this.#step(lane, connection);
    }
    if (done === lanes.length) this.#ready.delete(partition);
    else lanes.splice(0, done);
  }

  #stepsOn(connection: RedisConnection): number {
    return this.#underWay.get(connection) ?? 0;
  }

  async #step(lane: Lane, connection: RedisConnection): Promise<void> {
    lane.sending = Math.min(lane.queue.length, this.#parts.options.appendBatchMax);
    this.#underWay.set(connection, this.#stepsOn(connection) + 1);
    try {
      const answer = (await connection.send('evalsha', this.#args(lane, connection))) as unknown[];
      if (this.#closed) return;
      const epoch = String(answer[0]);
      const settled = lane.queue.splice(0, lane.sending);
      for (let i = 0; i < settled.length; i++) {
        this.#release(settled[i]!);
        settled[i]!.resolve({ epoch, position: answer[i + 1] as number });
      }
      this.#next(lane);
    } catch (error) {
      if (!this.#closed) this.#onFault(lane, connection, error);
    } finally {
      this.#underWay.set(connection, this.#stepsOn(connection) - 1);
      this.wake();
    }
  }

  #onFault(lane: Lane, connection: RedisConnection, error: unknown): void {
    const { clock, shards } = this.#parts;
    const again = shards.after(error, connection);
    const now = clock.now();
    const under = lane.queue.splice(0, lane.sending);
    const left = again ? under.filter(({ deadlineAt }) => deadlineAt > now) : [];
    lane.queue.unshift(...left);
    for (const append of under) if (!left.includes(append)) this.#fail(append, serviceError('Redis', error));
    if (again) this.#pause(lane.place.partition);
    this.#next(lane);
  }

  #next(lane: Lane): void {
    lane.sending = 0;
    if (lane.queue.length > 0) this.#makeReady(lane);
    else this.#lanes.delete(lane.place.channel);
  }

  #pause(partition: number): void {
    if (this.#paused.has(partition)) return;
    this.#paused.add(partition);
    this.#parts.clock.after(this.#parts.options.retryMs, () => {
      this.#paused.delete(partition);
      this.wake();
    });
  }

  #args({ place, queue, sending }: Lane, connection: RedisConnection): Argument[] {
    const { options, layout } = this.#parts;
    const args: Argument[] = [
      appendScript.sha,
      3,
      place.epoch,
      place.stream,
      place.ids,
      connection.runId,
      layout.publishCommand,
      options.historyMessagesMax,
      options.messageIdsKept,
      options.historyAgeMs,
      options.channelIdleMs,
      place.phase,
    ];
    for (let i = 0; i < sending; i++) {
      const { id, at, data } = queue[i]!.message;
      args.push(id, at, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    }
    return args;
  }

  #release({ message }: Append): void {
    this.#count--;
    this.#bytes -= message.data.length;
  }
  #fail(append: Append, error: ServiceError): void {
    this.#release(append);
    append.reject(error);
  }
}
