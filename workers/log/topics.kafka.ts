import kafkajs, { type Admin } from 'kafkajs';
import type { Logger } from 'pino';
import { ServiceError } from '../../proto/codes.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import { faultType } from './wire.kafka.ts';

export interface KafkaTopic {
  partitions: number;
  /** Records older than this are deleted; 0: none. */
  deleteOlderThanMs: number;
}
/** A topic as it stands, its limits included. */
export interface StandingTopic {
  /** As the log's users know it. */
  name: string;
  /** As Kafka knows it. */
  wireName: string;
  partitions: number;
  batchBytesMax: number;
  recordBytesMax: number;
}

/** A batch's own bytes, and at most so many of each record, beside keys and values. */
export const batchHeadBytes = 61;
export const recordHeadBytes = 24;

/**
 * Creates the topics that are missing and checks those that stand. Throws a `ServiceError`, not retryable,
 * that says what must be changed; what only lessens a promise is warned of.
 */
export async function openTopics(
  admin: Admin,
  topics: Readonly<Record<string, KafkaTopic>>,
  options: KafkaLogOptions,
  logger: Logger,
): Promise<Map<string, StandingTopic>> {
  const wanted = Object.entries(topics).map(([name, topic]) => {
    if (!Number.isSafeInteger(topic.partitions) || topic.partitions < 1) {
      throw new ServiceError(`Topic "${name}" cannot have ${topic.partitions} partitions.`, false);
    }
    return { name, wireName: options.topicPrefix + name, ...topic };
  });
  const known = new Set(await admin.listTopics());
  const missing = wanted.filter(({ wireName }) => !known.has(wireName));
  if (missing.length > 0) await create(admin, missing, options);
  await checkPartitions(admin, wanted, options);
  const settings = await settingsOf(admin, wanted, logger);
  return new Map(
    wanted.map((topic) => [topic.name, standing(topic, settings.get(topic.wireName), options, logger)]),
  );
}

type Wanted = KafkaTopic & { name: string; wireName: string };

export function topicSettings(topic: KafkaTopic, options: KafkaLogOptions): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(topic.deleteOlderThanMs === 0 ? -1 : topic.deleteOlderThanMs),
    'retention.bytes': '-1',
    'min.insync.replicas': String(options.minInsync),
    'max.message.bytes': String(options.batchBytesMax),
    // A record's timestamp is the log's own clock, whoever wrote it.
    'message.timestamp.type': 'LogAppendTime',
    // Whatever producers choose, the log is stored in what kafkajs can read.
    'compression.type': options.compression === 'gzip' ? 'gzip' : 'uncompressed',
    'unclean.leader.election.enable': 'false',
  };
}

async function create(admin: Admin, missing: readonly Wanted[], options: KafkaLogOptions): Promise<void> {
  try {
    // False: another process has just done so.
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map((topic) => ({
        topic: topic.wireName,
        numPartitions: topic.partitions,
        replicationFactor: options.replication,
        configEntries: Object.entries(topicSettings(topic, options)).map(([name, value]) => ({
          name,
          value,
        })),
      })),
    });
  } catch (error) {
    throw refusedCreation(error, missing, options) ?? error;
  }
}

function refusedCreation(
  error: unknown,
  missing: readonly Wanted[],
  options: KafkaLogOptions,
): ServiceError | null {
  const [first] = (error as { errors?: unknown[] }).errors ?? [error];
  const names = missing.map(({ wireName }) => wireName).join(', ');
  const type = faultType(first);
  if (type === 'INVALID_REPLICATION_FACTOR') {
    const message = `Topics (${names}) cannot have ${options.replication} copies: Kafka has fewer brokers.`;
    return new ServiceError(message, false, error);
  }
  if (type.endsWith('AUTHORIZATION_FAILED')) {
    const message = `Topics (${names}) are missing, and this user of Kafka may not create them.`;
    return new ServiceError(message, false, error);
  }
  if (type === 'INVALID_CONFIG' || type === 'POLICY_VIOLATION') {
    return new ServiceError(`Kafka does not take the settings of new topics (${names}).`, false, error);
  }
  return null;
}

async function checkPartitions(
  admin: Admin,
  wanted: readonly Wanted[],
  options: KafkaLogOptions,
): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ wireName }) => wireName) });
  for (const { name, wireName, partitions } of wanted) {
    const found = topics.find((topic) => topic.name === wireName)?.partitions ?? [];
    if (found.length !== partitions) {
      throw new ServiceError(
        `Topic "${wireName}" has ${found.length} partitions in Kafka; it cannot be opened with ` +
          `${partitions}, since partition counts never change.`,
        false,
      );
    }
    if (found.some(({ leader }) => leader < 0)) {
      throw new ServiceError(`Topic "${name}" has partitions without a leader.`, true);
    }
    const copies = Math.min(...found.map(({ replicas }) => replicas.length));
    if (copies < options.minInsync) {
      throw new ServiceError(
        `Topic "${wireName}" has ${copies} copies: ${options.minInsync} can never have a record.`,
        false,
      );
    }
  }
}

type Settings = ReadonlyMap<string, string>;

async function settingsOf(
  admin: Admin,
  wanted: readonly Wanted[],
  logger: Logger,
): Promise<Map<string, Settings>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: wanted.map(({ wireName }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name: wireName })),
    });
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  } catch (error) {
    if (!faultType(error).endsWith('AUTHORIZATION_FAILED')) throw error;
    logger.warn('This user of Kafka may not see the settings of topics: they are taken to be as stated.');
    return new Map();
  }
}

function standing(
  topic: Wanted,
  settings: Settings | undefined,
  options: KafkaLogOptions,
  logger: Logger,
): StandingTopic {
  const { name, wireName, partitions } = topic;
  const has = (setting: string) => settings?.get(setting) ?? topicSettings(topic, options)[setting]!;
  if (has('cleanup.policy') !== 'delete') {
    throw new ServiceError(
      `Topic "${wireName}" has cleanup.policy=${has('cleanup.policy')}; only "delete" keeps all records.`,
      false,
    );
  }
  for (const [setting, wanted] of Object.entries(topicSettings(topic, options))) {
    const found = has(setting);
    if (found !== wanted && lessens(setting, found, wanted)) {
      logger.warn({ topic: wireName, setting, found, wanted }, 'a topic stands with another setting');
    }
  }
  const batchBytesMax = Math.min(options.batchBytesMax, Number(has('max.message.bytes')));
  const recordBytesMax = Math.min(options.recordBytesMax, batchBytesMax - batchHeadBytes - recordHeadBytes);
  return { name, wireName, partitions, batchBytesMax, recordBytesMax };
}

/** Whether a promise is less than it should be. */
function lessens(setting: string, found: string, wanted: string): boolean {
  if (setting === 'compression.type')
    return found === 'producer' || !['uncompressed', 'gzip'].includes(found);
  if (setting === 'min.insync.replicas' || setting === 'max.message.bytes') {
    return Number(found) < Number(wanted);
  }
  if (setting.startsWith('retention.')) return forever(found) < forever(wanted);
  return true;
}
const forever = (value: string): number => (Number(value) < 0 ? Number.POSITIVE_INFINITY : Number(value));
