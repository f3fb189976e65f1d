import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import type { Logger } from 'pino';
import { readTls } from '../../channels/dependency/tls-files.ts';
import type { KafkaLogOptions } from './options.kafka.ts';

/** The kafkajs client by the options. Throws a sentence where a TLS file cannot be read. */
export function createKafkaClient(options: KafkaLogOptions, logger: Logger): Kafka {
  const tls = readTls(options) ?? (options.tls ? {} : undefined);
  const sasl = saslOf(options);
  return new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: options.connectTimeoutMs,
    authenticationTimeout: options.requestTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    // The log tries again by itself, with its own bounds; kafkajs only over what passes at once.
    retry: { retries: 2, initialRetryTime: options.retryFirstMs, maxRetryTime: options.retryLongestMs },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => say(logger, entry),
  });
}

function saslOf({ saslMechanism, user, password }: KafkaLogOptions): KafkaConfig['sasl'] {
  if (saslMechanism === undefined) return undefined;
  const login = { username: user ?? '', password: password ?? '' };
  if (saslMechanism === 'plain') return { mechanism: 'plain', ...login };
  if (saslMechanism === 'scram-sha-256') return { mechanism: 'scram-sha-256', ...login };
  return { mechanism: 'scram-sha-512', ...login };
}

/** What kafkajs says about single connections and requests: the log itself says what came of it. */
const chatty: ReadonlySet<string> = new Set([
  'Connection',
  'ConnectionPool',
  'RequestQueue',
  'Broker',
  'BrokerPool',
  'Cluster',
]);

/** One line, without what else kafkajs would add: nothing of requests or configuration comes into a log. */
export function say(
  logger: Logger,
  entry: { namespace: string; level: number; log: { message: string; [extra: string]: unknown } },
): void {
  const { message, broker, error } = entry.log;
  const fields = { kafka: entry.namespace, broker, fault: typeof error === 'string' ? error : undefined };
  const quiet = chatty.has(entry.namespace) || entry.level > kafkajs.logLevel.WARN;
  if (quiet) logger.debug(fields, message);
  else logger.warn(fields, message);
}
