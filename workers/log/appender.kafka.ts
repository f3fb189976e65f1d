import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import type { NewRecord, Place } from './log.ts';
import { backoffMs, type Nodes, sleep } from './nodes.kafka.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import { batchHeadBytes, recordHeadBytes, type StandingTopic } from './topics.kafka.ts';
import {
  faultType,
  isFinal,
  isIdentityFault,
  type ProducedTopic,
  type ProducerIdentity,
} from './wire.kafka.ts';

/**
 * Appends with acks=all. Per partition one batch is under way; meanwhile the records of further calls gather
 * and become the next one. A batch whose outcome is unknown is sent again as it was, under the same sequence
 * number, so that it stands once; given up at last, its producer's identity is given up with it, since what
 * comes next may not take that number.
 */
export interface Appender {
  append(topic: StandingTopic, placed: readonly PlacedRecord[]): Promise<Place[]>;
  /** Refuses new appends; resolves when those under way have ended. */
  close(): Promise<void>;
}
export interface PlacedRecord {
  partition: number;
  record: NewRecord;
}

interface Message {
  key: Buffer;
  value: Uint8Array;
}
/** The records of one call in one partition. */
interface Chunk {
  readonly call: Call;
  readonly indexes: number[];
  readonly messages: Message[];
  bytes: number;
}
interface Call {
  readonly places: Place[];
  /** ms since the epoch: not tried any longer. */
  readonly until: number;
  open: number;
  resolve(places: Place[]): void;
  reject(error: unknown): void;
}
interface Lane {
  readonly topic: StandingTopic;
  readonly partition: number;
  readonly queue: Chunk[];
  busy: boolean;
}
/** A producer as Kafka knows it, with the next sequence number of each partition. */
interface Identity extends ProducerIdentity {
  readonly sequences: Map<Lane, number>;
}
interface Sealed {
  readonly lane: Lane;
  readonly chunks: Chunk[];
  readonly messages: Message[];
  readonly identity: Identity;
  readonly firstSequence: number;
  readonly until: number;
}

export interface AppenderParts {
  nodes: Nodes;
  clock: Clock;
  options: KafkaLogOptions;
}

/** Sequence numbers are 31 bits and wrap around. */
const sequences = 2 ** 31;

export function createAppender({ nodes, clock, options }: AppenderParts): Appender {
  const lanes = new Map<string, Lane>();
  const ready = new Set<Lane>();
  let identity: Promise<Identity> | null = null;
  let scheduled = false;
  let pendingBytes = 0;
  let pendingCalls = 0;
  let closed = false;
  let onIdle: (() => void) | null = null;

  function laneOf(topic: StandingTopic, partition: number): Lane {
    const key = `${topic.wireName}/${partition}`;
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = { topic, partition, queue: [], busy: false };
      lanes.set(key, lane);
    }
    return lane;
  }

  /** One batch per lane that has records and none under way; those of one leader go in one request. */
  async function pump(): Promise<void> {
    scheduled = false;
    const free = [...ready].filter((lane) => !lane.busy);
    if (free.length === 0) return;
    for (const lane of free) lane.busy = true;
    try {
      const who = await currentIdentity(Math.max(...free.map((lane) => lane.queue[0]!.call.until)));
      const sealed = free.map((lane) => seal(lane, who));
      for (const group of await byLeader(sealed)) void deliver(group);
    } catch (error) {
      for (const lane of free) {
        if (!lane.busy) continue;
        for (const chunk of lane.queue.splice(0)) fail(chunk, error);
        release(lane);
      }
    }
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => void pump());
  }

  function currentIdentity(until: number): Promise<Identity> {
    if (identity === null) {
      const asked = nodes
        .atAny({ until }, (broker) => broker.initProducerId({ transactionTimeout: 60_000 }))
        .then(({ producerId, producerEpoch }) => ({ producerId, producerEpoch, sequences: new Map() }));
      identity = asked;
      asked.catch(() => {
        if (identity === asked) identity = null;
      });
    }
    return identity;
  }

  function seal(lane: Lane, who: Identity): Sealed {
    const { until } = lane.queue[0]!.call;
    const chunks: Chunk[] = [];
    const messages: Message[] = [];
    let bytes = batchHeadBytes;
    while (lane.queue.length > 0) {
      const next = lane.queue[0]!;
      const records = messages.length + next.messages.length;
      const fits = bytes + next.bytes <= lane.topic.batchBytesMax && records <= options.batchRecordsMax;
      if (chunks.length > 0 && !fits) break;
      lane.queue.shift();
      chunks.push(next);
      for (const message of next.messages) messages.push(message);
      bytes += next.bytes;
    }
    const firstSequence = who.sequences.get(lane) ?? 0;
    who.sequences.set(lane, (firstSequence + messages.length) % sequences);
    return { lane, chunks, messages, identity: who, firstSequence, until };
  }

  /** Batches that may share a request: of one leader and one identity. Without a leader: each alone. */
  async function byLeader(batches: readonly Sealed[]): Promise<Sealed[][]> {
    const groups = new Map<unknown, Sealed[]>();
    for (const batch of batches) {
      let leader: unknown = batch;
      try {
        leader = (await nodes.leaders(batch.lane.topic.wireName)).get(batch.lane.partition) ?? batch;
      } catch {
        // It is looked for again when the batch is sent.
      }
      const group = groups.get(leader);
      if (group === undefined) groups.set(leader, [batch]);
      else group.push(batch);
    }
    return [...groups.values()];
  }

  /** Until each batch stands, is refused, or its time is over. */
  async function deliver(batches: readonly Sealed[]): Promise<void> {
    const fault = await send(batches);
    if (fault === null) return;
    if (batches.length > 1) {
      // Kafka does not say which one it was about: each is sent again by itself.
      await nodes.refresh().catch(() => undefined);
      await Promise.all(batches.map((batch) => deliver([batch])));
      return;
    }
    await deliverAlone(batches[0]!, fault);
  }

  async function deliverAlone(batch: Sealed, first: unknown): Promise<void> {
    let fault: unknown = first;
    for (let failures = 1; fault !== null; failures++) {
      const waitMs = backoffMs(failures, options.retryFirstMs, options.retryLongestMs);
      if (isFinal(fault) || isIdentityFault(fault) || clock.now() + waitMs > batch.until) {
        giveUp(batch, fault);
        return;
      }
      await sleep(clock, waitMs);
      await nodes.refresh().catch(() => undefined);
      fault = await send([batch]);
    }
  }

  async function send(batches: readonly Sealed[]): Promise<unknown> {
    const { wireName } = batches[0]!.lane.topic;
    const { until } = batches[0]!;
    try {
      const { topics } = await nodes.atLeader(
        wireName,
        batches[0]!.lane.partition,
        { until, stopAt: () => true },
        (broker) => broker.produce(request(batches, options)),
      );
      const bases = new Map<string, number>();
      for (const { topicName, partitions } of topics) {
        for (const { partition, baseOffset } of partitions) {
          bases.set(`${topicName}/${partition}`, Number(baseOffset));
        }
      }
      for (const batch of batches) settle(batch, bases);
      return null;
    } catch (error) {
      return error;
    }
  }

  function settle({ lane, chunks }: Sealed, bases: ReadonlyMap<string, number>): void {
    let offset = bases.get(`${lane.topic.wireName}/${lane.partition}`)!;
    for (const { call, indexes, bytes } of chunks) {
      for (const index of indexes) {
        call.places[index] = { partition: lane.partition, offset };
        offset++;
      }
      finish(bytes);
      call.open--;
      if (call.open === 0) call.resolve(call.places);
    }
    release(lane);
  }

  function giveUp(batch: Sealed, fault: unknown): void {
    // Whether it stands may be unknown: nobody may go on under this identity's numbers.
    identity = null;
    const error = refusal(batch, fault, options);
    for (const chunk of batch.chunks) fail(chunk, error);
    release(batch.lane);
  }

  function fail({ call, bytes }: Chunk, error: unknown): void {
    finish(bytes);
    call.reject(error);
  }

  function finish(bytes: number): void {
    pendingBytes -= bytes;
    pendingCalls--;
    if (pendingCalls === 0) onIdle?.();
  }

  function release(lane: Lane): void {
    lane.busy = false;
    if (lane.queue.length === 0) ready.delete(lane);
    else schedule();
  }

  function chunksOf(topic: StandingTopic, placed: readonly PlacedRecord[], call: Call): Map<Lane, Chunk> {
    const chunks = new Map<Lane, Chunk>();
    for (const [index, { partition, record }] of placed.entries()) {
      const lane = laneOf(topic, partition);
      let chunk = chunks.get(lane);
      if (chunk === undefined) {
        chunk = { call, indexes: [], messages: [], bytes: 0 };
        chunks.set(lane, chunk);
      }
      const message = toMessage(record);
      chunk.indexes.push(index);
      chunk.messages.push(message);
      chunk.bytes += messageBytes(message);
    }
    return chunks;
  }

  return {
    append(topic, placed) {
      return new Promise((resolve, reject) => {
        if (closed) throw new ServiceError('The log is closed.', false);
        const until = clock.now() + options.appendTimeoutMs;
        const call: Call = { places: new Array(placed.length), until, open: 0, resolve, reject };
        const chunks = chunksOf(topic, placed, call);
        let bytes = 0;
        for (const chunk of chunks.values()) {
          checkChunk(topic, chunk, options);
          bytes += chunk.bytes;
        }
        if (pendingBytes > 0 && pendingBytes + bytes > options.pendingBytesMax) {
          throw new ServiceError(`The log is behind: ${pendingBytes} bytes wait for Kafka; try again.`, true);
        }
        call.open = chunks.size;
        pendingBytes += bytes;
        pendingCalls += chunks.size;
        for (const [lane, chunk] of chunks) {
          lane.queue.push(chunk);
          ready.add(lane);
        }
        schedule();
      });
    },
    async close() {
      closed = true;
      if (pendingCalls === 0) return;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    },
  };
}

/** kafkajs takes bytes as Buffers only: a view of the same memory. */
export function toMessage({ key, value }: NewRecord): Message {
  return { key: Buffer.from(key), value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}
export function messageBytes({ key, value }: Message): number {
  return key.length + value.length + recordHeadBytes;
}

/** [LOG-4] by one batch, which must not be larger than Kafka takes. */
function checkChunk(topic: StandingTopic, { bytes, messages }: Chunk, options: KafkaLogOptions): void {
  if (bytes + batchHeadBytes > topic.batchBytesMax) {
    throw new ClientError(
      'record_too_large',
      `${messages.length} records for one partition of "${topic.name}" have ${bytes} bytes together; ` +
        `at most ${topic.batchBytesMax - batchHeadBytes} are taken at once.`,
    );
  }
  if (messages.length > options.batchRecordsMax) {
    throw new ClientError(
      'record_too_large',
      `${messages.length} records for one partition of "${topic.name}"; ` +
        `at most ${options.batchRecordsMax} are taken at once.`,
    );
  }
}

function request(batches: readonly Sealed[], options: KafkaLogOptions) {
  const topics = new Map<string, ProducedTopic>();
  for (const { lane, messages, firstSequence } of batches) {
    const { wireName } = lane.topic;
    let topic = topics.get(wireName);
    if (topic === undefined) {
      topic = { topic: wireName, partitions: [] };
      topics.set(wireName, topic);
    }
    topic.partitions.push({ partition: lane.partition, firstSequence, messages });
  }
  const { producerId, producerEpoch } = batches[0]!.identity;
  return { producerId, producerEpoch, topicData: [...topics.values()], ...produceSettings(options) };
}

/** acks=all, and no longer than the request may take. */
export function produceSettings(options: KafkaLogOptions) {
  return { acks: -1, timeout: options.requestTimeoutMs, compression: options.compression === 'gzip' ? 1 : 0 };
}

function refusal({ lane, messages }: Sealed, fault: unknown, options: KafkaLogOptions): Error {
  const type = faultType(fault);
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    return new ClientError(
      'record_too_large',
      `${messages.length} records for one partition of "${lane.topic.name}" are more than Kafka takes.`,
    );
  }
  const why = connectionFault('kafka', fault);
  if (isFinal(fault)) return new ServiceError(why, false, fault);
  return new ServiceError(
    `${why.slice(0, -1)}; given up after ${options.appendTimeoutMs} ms: it is not known whether they stand.`,
    true,
    fault,
  );
}
