/**
 * Names of keys and topics. All that one script touches carries the same hash tag, so it lies on one slot.
 *
 * On a cluster channels and topics are spread over 256 tags, `tag n` lying in the n-th 256th of the slots:
 * however the slots are divided each master has its share, one SSUBSCRIBE carries all the topics of a tag,
 * and one script answers for the heads of all its channels. On a single server there is one tag.
 */
export interface Layout {
  readonly partitions: number;
  /** 'SPUBLISH' on a cluster, where messages must not cross from shard to shard. */
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH';
  readonly subscribeCommand: 'subscribe' | 'ssubscribe';
  readonly unsubscribeCommand: 'unsubscribe' | 'sunsubscribe';
  readonly messageEvent: 'messageBuffer' | 'smessageBuffer';
  slotOf(partition: number): number;
  epochKey(partition: number): string;
  /** A topic of pub/sub; without `partition` where its name puts it. */
  topic(name: string, partition?: number): TopicPlace;
  log(channel: string): LogPlace;
}
export interface TopicPlace {
  readonly partition: number;
  readonly topic: string;
}
export interface LogPlace {
  readonly channel: string;
  readonly partition: number;
  readonly epoch: string;
  /** The key of the messages and the topic of new ones. */
  readonly stream: string;
  readonly ids: string;
  /** When the channel's window ends, as a part of its length. */
  readonly phase: number;
}

const clusterPartitions = 256;
const slots = 16_384;

export function createLayout(prefix: string, cluster: boolean): Layout {
  const partitions = cluster ? clusterPartitions : 1;
  const tags = spreadTags(partitions);
  const partitionOf = (name: string): number => hash(name, 0x811c9dc5) % partitions;
  return {
    partitions,
    publishCommand: cluster ? 'SPUBLISH' : 'PUBLISH',
    subscribeCommand: cluster ? 'ssubscribe' : 'subscribe',
    unsubscribeCommand: cluster ? 'sunsubscribe' : 'unsubscribe',
    messageEvent: cluster ? 'smessageBuffer' : 'messageBuffer',
    slotOf: (partition) => slotOf(tags[partition]!),
    epochKey: (partition) => `${prefix}bus_epoch:{${tags[partition]}}`,
    topic(name, partition = partitionOf(name)) {
      return { partition, topic: `${prefix}topic:{${tags[partition]}}:${name}` };
    },
    log(channel) {
      const partition = partitionOf(channel);
      const tag = tags[partition];
      return {
        channel,
        partition,
        epoch: `${prefix}bus_epoch:{${tag}}`,
        stream: `${prefix}log:{${tag}}:${channel}`,
        ids: `${prefix}ids:{${tag}}:${channel}`,
        phase: hash(channel, 0x9747b28c) / 2 ** 32,
      };
    },
  };
}

/** The smallest numbers whose slots lie one in each of as many equal parts. */
function spreadTags(parts: number): string[] {
  const tags: string[] = new Array(parts).fill('');
  let left = parts;
  for (let n = 0; left > 0; n++) {
    const part = Math.floor((slotOf(String(n)) * parts) / slots);
    if (tags[part] !== '') continue;
    tags[part] = String(n);
    left--;
  }
  return tags;
}

/** CRC16 (XMODEM), as Redis Cluster assigns slots. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % slots;
}

/** FNV-1a with the finish of MurmurHash3, so that all bits depend on all characters. */
function hash(name: string, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < name.length; i++) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
