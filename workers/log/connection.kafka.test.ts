import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { type Logger, pino } from 'pino';
import { createKafkaClient, say } from './connection.kafka.ts';
import { kafkaLogDefaults } from './options.kafka.ts';

interface Line {
  level: number;
  msg: string;
  [field: string]: unknown;
}

function linesOf(act: (logger: Logger) => void): Line[] {
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  act(pino({ level: 'trace' }, { write }));
  return lines;
}

test('what kafkajs calls an error of one request is none of the log’s', () => {
  const lines = linesOf((logger) => {
    const message = 'Response GroupCoordinator(key: 10, version: 2)';
    const error = 'The group coordinator is not available';
    const log = { message, error, broker: 'b:1', correlationId: 3 };
    say(logger, { namespace: 'Connection', level: kafkajs.logLevel.ERROR, log });
    say(logger, { namespace: 'Consumer', level: kafkajs.logLevel.WARN, log: { message: 'strange' } });
    say(logger, { namespace: '', level: kafkajs.logLevel.INFO, log: { message: 'calm' } });
  });
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [20, 'Response GroupCoordinator(key: 10, version: 2)'],
      [40, 'strange'],
      [20, 'calm'],
    ],
  );
});

test('nothing but what was said, where and why comes into the log', () => {
  const [line] = linesOf((logger) => {
    const log = { message: 'm', broker: 'b:1', error: 'why', password: 'secret', data: { sasl: 'secret' } };
    say(logger, { namespace: 'Cluster', level: kafkajs.logLevel.ERROR, log });
  });
  assert.ok(!JSON.stringify(line).includes('secret'));
  assert.equal(line!['fault'], 'why');
  assert.equal(line!['broker'], 'b:1');
});

test('a TLS file that cannot be read is named', () => {
  const options = { ...kafkaLogDefaults, brokers: ['b:1'], caFile: '/nowhere/ca.pem' };
  assert.throws(
    () => createKafkaClient(options, pino({ level: 'silent' })),
    /\/nowhere\/ca\.pem cannot be read/,
  );
});
