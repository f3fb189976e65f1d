import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../../proto/codes.ts';
import type { RedisNode } from '../../test/services/redis-node.ts';
import { until } from '../../test/services/until.ts';
import type { Bus, Position, StoredMessage } from './bus.ts';
import { message } from './heard.conformance.ts';

/**
 * Writers that repeat what is refused, and a listener, through whatever a test does to the servers. What must
 * hold at the end: no position of an epoch ever meant two messages, positions heard rise within an epoch, and
 * what was acknowledged in the epoch that holds now is there.
 */
export class Traffic {
  readonly channels: string[];
  readonly acknowledged: { channel: string; id: string; position: Position }[] = [];
  readonly heard: { channel: string; message: StoredMessage }[] = [];
  refusals = 0;
  /** Longest time that one message took, with its repeats, in ms. */
  longestMs = 0;
  readonly #writer: Bus;
  readonly #reader: Bus;
  #writing: Promise<void>[] = [];
  #stopped = false;
  #count = 0;

  constructor(writer: Bus, reader: Bus, channels: number) {
    this.#writer = writer;
    this.#reader = reader;
    this.channels = Array.from({ length: channels }, (_, index) => `c${index}`);
  }

  async start(): Promise<void> {
    await Promise.all(
      this.channels.map((channel) =>
        this.#reader.follow(channel, (message) => void this.heard.push({ channel, message })),
      ),
    );
    this.#writing = this.channels.map((channel) => this.#write(channel));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writing);
  }

  /** Answers a sentence of figures. */
  async verify(): Promise<string> {
    const meaning = new Map<string, string>();
    const means = (channel: string, { epoch, position }: Position, id: string): void => {
      const where = `${channel} ${epoch} ${position}`;
      assert.equal(meaning.get(where) ?? id, id, `${where} means two messages`);
      meaning.set(where, id);
    };
    for (const { channel, id, position } of this.acknowledged) means(channel, position, id);
    const last = new Map<string, Position>();
    for (const { channel, message } of this.heard) {
      means(channel, message, message.id);
      const before = last.get(channel);
      if (before?.epoch === message.epoch) assert.ok(message.position > before.position);
      last.set(channel, message);
    }
    let kept = 0;
    let past = 0;
    for (const channel of this.channels) {
      const { epoch, messages } = await this.#reader.history(channel, 0, 100_000);
      const ids = new Map(messages.map((stored) => [stored.position, stored.id]));
      for (const stored of messages) means(channel, stored, stored.id);
      for (const { channel: where, id, position } of this.acknowledged) {
        if (where !== channel) continue;
        if (position.epoch !== epoch) past++;
        else assert.equal(ids.get(position.position), id, `${where} lost ${id} within its epoch`);
        kept++;
      }
    }
    return (
      `${kept} acknowledged, ${past} of them in a past epoch; ${this.heard.length} heard; ` +
      `${this.refusals} refused; longest ${Math.round(this.longestMs)} ms`
    );
  }

  async #write(channel: string): Promise<void> {
    while (!this.#stopped) {
      const id = `m${++this.#count}`;
      const started = performance.now();
      for (;;) {
        try {
          const position = await this.#writer.append(channel, message(id));
          this.acknowledged.push({ channel, id, position });
          break;
        } catch (error) {
          if (!(error instanceof ServiceError && error.retryable)) throw error;
          this.refusals++;
        }
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - started);
      await delay(1);
    }
  }
}

/** The bus works again from one to the other, without anything being left out any more. */
export async function untilHeard(from: Bus, to: Bus, channels: readonly string[]): Promise<void> {
  for (const channel of channels) {
    let heard = false;
    const leave = await to.subscribe(`after:${channel}`, () => {
      heard = true;
    });
    await until(
      `messages to ${channel} come again`,
      async () => {
        await from.publish(`after:${channel}`, Uint8Array.of(1));
        await delay(5);
        return heard;
      },
      { timeoutMs: 30_000, pollMs: 20 },
    );
    leave();
  }
}

/**
 * Acknowledged messages that no replica has: they stand still and their links are cut while the messages are
 * appended, and then the master is killed.
 */
export async function killWithLag(
  master: RedisNode,
  replicas: readonly RedisNode[],
  append: () => Promise<unknown>,
): Promise<void> {
  for (const replica of replicas) replica.pause();
  await master.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await append();
  await master.kill();
  for (const replica of replicas) replica.resume();
}
