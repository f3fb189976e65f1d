import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { createDependency } from '../../channels/dependency/dependency.ts';
import { createKafkaLog } from '../../workers/log/log.kafka.ts';
import type { Log } from '../../workers/log/log.ts';
import type { KafkaLogOptions } from '../../workers/log/options.kafka.ts';
import { createAuthority } from '../services/certificates.ts';
import { type KafkaStartOptions, startKafka } from '../services/kafka.ts';

/** Kafka over TLS, with a user and password, and with client certificates. @live timeout=300s */
const authority = createAuthority();
const { caFile } = authority;
const stranger = createAuthority('Another authority');
const sasl = { user: 'rankcast', password: 'pass-word-1' };
const login = { saslMechanism: 'plain', ...sasl } as const;
const lines: string[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });

interface Opened {
  log: Log;
  state(): string;
}

type Options = Partial<KafkaLogOptions> & Pick<KafkaLogOptions, 'brokers'>;

async function open(options: Options): Promise<Opened> {
  const parts = { name: 'kafka', clock: systemClock, registry: new Registry(), logger };
  const dependency = createDependency({ ...parts, options: { callTimeoutMs: 20_000 } });
  const log = await createKafkaLog({
    clock: systemClock,
    logger,
    dependency,
    topics: { events: { partitions: 1, deleteOlderThanMs: 0 } },
    onError: (error) => logger.error({ err: error }, 'in the background'),
    options: {
      replication: 1,
      minInsync: 1,
      topicPrefix: `tls-${randomBytes(4).toString('hex')}-`,
      ...options,
    },
  });
  return { log, state: () => dependency.state() };
}

async function works(options: Options): Promise<void> {
  const { log, state } = await open(options);
  await log.append('events', [{ key: 'k', value: Buffer.from('over TLS') }]);
  assert.equal((await log.read('events', 0, 0, 1)).length, 1);
  assert.equal(state(), 'ready');
  await log.close();
}

async function isRefused(options: Options, sentence: string): Promise<void> {
  await assert.rejects(open(options), { name: 'ServiceError', message: sentence });
}

async function withKafka(options: KafkaStartOptions, body: (brokers: string[]) => Promise<void>) {
  const server = await startKafka(options);
  try {
    await body(server.brokers);
  } finally {
    await server.kill();
  }
}

test('TLS with user and password: right ones work, wrong ones and a wrong CA are refused in a sentence', () =>
  withKafka({ tls: { ...authority.server(), caFile }, sasl }, async (brokers) => {
    for (const saslMechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      await works({ brokers, caFile, ...login, saslMechanism });
    }
    const untrusted = 'kafka: its certificate is signed by a CA that is not trusted here.';
    await isRefused({ brokers, tls: true, ...login }, untrusted);
    await isRefused({ brokers, caFile: stranger.caFile, ...login }, untrusted);
    const unknown = 'kafka: it does not take the user name and password given.';
    for (const saslMechanism of ['plain', 'scram-sha-512'] as const) {
      await isRefused({ brokers, caFile, ...login, saslMechanism, password: 'wrong-word' }, unknown);
    }
  }));

test('an expired certificate is refused in a sentence', () =>
  withKafka({ tls: { ...authority.server({ expired: true }), caFile } }, (brokers) =>
    isRefused({ brokers, caFile }, 'kafka: its certificate has expired.'),
  ));

test('a certificate for another name is refused in a sentence, unless that name is what is expected', () =>
  withKafka({ tls: { ...authority.server({ hosts: ['kafka.example.com'] }), caFile } }, async (brokers) => {
    const other = 'kafka: its certificate is for another name than the one dialled.';
    await isRefused({ brokers, caFile }, other);
    await works({ brokers, caFile, serverName: 'kafka.example.com' });
  }));

test('a server that asks for client certificates takes those of its CA only', () =>
  withKafka({ tls: { ...authority.server(), caFile, requireClientCert: true } }, async (brokers) => {
    await works({ brokers, caFile, ...authority.client('rankcast') });
    const { log, state } = await open({ brokers, caFile, startWaitMs: 1_500, appendTimeoutMs: 500 });
    assert.match(
      state(),
      /^kafka: (it wants a client certificate that it trusts|it closed the connection)\.$/,
    );
    await assert.rejects(log.append('events', [{ key: 'k', value: Buffer.from('x') }]), /kafka/);
    await log.close();
  }));

test('a file that cannot be read is named', () =>
  assert.rejects(open({ brokers: ['127.0.0.1:1'], caFile: '/nowhere/ca.pem' }), /\/nowhere\/ca\.pem cannot/));

test('no password was logged, and nothing of what passes by itself is an error', () => {
  const logged = lines.join('');
  assert.match(logged, /connected/);
  const plain = Buffer.from(`\0${sasl.user}\0${sasl.password}`).toString('base64');
  for (const secret of [sasl.password, 'wrong-word', plain, 'BEGIN'])
    assert.ok(!logged.includes(secret), secret);
  const errors = lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
  assert.deepEqual(errors, []);
});
