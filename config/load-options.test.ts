import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeOptions, loadOptions } from './load-options.ts';
import { ConfigError, flagOf, type OptionName, optionTable, variableOf } from './options.ts';

const secret = 'a secret of at least thirty-two characters';
const keys = { apiKey: secret, tokenSecret: secret };

function problemsOf(
  flags: Record<string, unknown>,
  environment: Record<string, string> = {},
  file?: string,
): string[] {
  try {
    loadOptions({ flags, environment, file }, true);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}

test('defaults and two keys make a whole set of options', () => {
  const options = loadOptions({ flags: keys, environment: {} }, true);
  assert.equal(options.port, 8080);
  assert.deepEqual(options.apiKey, [secret]);
  for (const name of Object.keys(optionTable) as OptionName[]) assert.ok(name in options, name);
});

test('flags win over the environment, that over the file, that over defaults', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-options-'));
  const file = join(folder, 'rankcast.json');
  writeFileSync(file, JSON.stringify({ port: 1001, opsPort: 1002, tickMs: 7 }));
  const environment = { RANKCAST_PORT: '2001', RANKCAST_OPS_PORT: '2002', RANKCAST_HOST: '' };
  const options = loadOptions({ flags: { ...keys, port: '3001' }, environment, file }, true);
  rmSync(folder, { recursive: true });
  assert.equal(options.port, 3001);
  assert.equal(options.opsPort, 2002);
  assert.equal(options.tickMs, 7);
  assert.equal(options.host, '0.0.0.0');
});

const wrong: [name: string, flags: Record<string, unknown>, says: RegExp][] = [
  ['port no number', { port: 'http' }, /--port: "http".*whole number/],
  ['port too large', { port: '70000' }, /--port: "70000".*65535|--port.*65535/],
  ['port a fraction', { port: '80.5' }, /--port: "80.5"/],
  ['port a boolean', { port: true }, /--port: true/],
  ['tick negative', { tickMs: '-1' }, /--tick-ms: "-1"/],
  ['no partitions', { partitions: '0' }, /--partitions: "0"/],
  ['a socket library of no name', { sockets: 'fast' }, /--sockets: "fast"/],
  ['log level', { logLevel: 'loud' }, /--log-level: "loud"/],
  ['secret too short', { tokenSecret: 'short' }, /--token-secret.*not shown.*32/],
  ['API key too short', { apiKey: `${secret},short` }, /--api-key.*not shown.*32/],
  ['JWKS no URL', { tokenSecret: undefined, tokenJwksUrl: 'keys' }, /--token-jwks-url: "keys"/],
  ['two token keys', { tokenPublicKey: 'key.pem' }, /exclude one another/],
  ['an algorithm of no name', { tokenAlgorithms: 'none' }, /--token-algorithms/],
  ['no network', { proxyProtocolFrom: '10.0.0.0/8,10.0.0.1/8' }, /--proxy-protocol-from: "10.0.0.1\/8"/],
  ['a certificate without a key', { tlsCertFile: 'cert.pem' }, /--tls-key-file belong together/],
  ['no such certificate', { tlsCertFile: 'no', tlsKeyFile: 'key' }, /no cannot be read: ENOENT/],
  ['no processes', { processes: '0' }, /--processes: "0"/],
  ['processes of no number', { processes: 'many' }, /--processes: "many"/],
  ['idle beyond a load balancer', { idleMs: '350000' }, /--idle-ms: "350000".*more than 300000/],
  ['no token key', { tokenSecret: undefined }, /no token key/],
  ['no API key', { apiKey: undefined }, /no API key/],
  ['one port twice', { port: '9000', opsPort: '9000' }, /both 9000/],
  ['idle too short', { idleMs: '100' }, /--idle-ms/],
  ['two ways to Redis', { redisUrl: 'redis://a:1', redisCluster: 'b:1' }, /exclude one another/],
  ['Sentinels of no master', { redisSentinels: 'a:1' }, /--redis-sentinel-master/],
  ['a Redis of no scheme', { redisUrl: 'a:6379' }, /--redis-url.*redis:\/\//],
  ['a password in an address', { redisUrl: 'redis://ann:pass@a:1' }, /--redis-url carries credentials/],
  ['a password in a bad address', { gremlinUrl: 'http://ann:short,@a:1' }, /--gremlin-url: .*\*\*\*@/],
  ['a broker without a port', { kafkaBrokers: 'a' }, /--kafka-brokers.*host:port/],
  ['more acknowledgements than copies', { kafkaReplication: '1' }, /--kafka-min-insync/],
  ['a user of no password', { cassandraUser: 'ann' }, /--cassandra-password/],
  ['two ways to be known', { gremlinAwsRegion: 'x', gremlinUser: 'a', gremlinPassword: 'b' }, /exclude/],
];
for (const [name, flags, says] of wrong) {
  test(`options: ${name}`, () => {
    const problems = problemsOf({ ...keys, ...flags });
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', says);
    assert.ok(!problems.join().includes('short,') && !problems.join().includes(secret), 'a secret is shown');
  });
}

test('every wrong option is named at once, wherever it came from', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-options-'));
  const file = join(folder, 'rankcast.json');
  writeFileSync(file, JSON.stringify({ tickMs: 'soon', colour: 'red' }));
  const environment = { RANKCAST_PARTITIONS: 'many', RANKCAST_SPEED: '3' };
  const problems = problemsOf({ ...keys, port: 'x' }, environment, file);
  rmSync(folder, { recursive: true });
  assert.equal(problems.length, 5, problems.join('\n'));
  for (const part of ['--port', 'RANKCAST_PARTITIONS', 'RANKCAST_SPEED', '`tickMs`', '`colour`']) {
    assert.ok(
      problems.some((problem) => problem.includes(part)),
      `${part} is not named`,
    );
  }
});

test('a file that is not there, no JSON, or a list, is named', () => {
  assert.match(problemsOf(keys, {}, '/nowhere/rankcast.json').join(), /\/nowhere\/rankcast\.json/);
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-options-'));
  const file = join(folder, 'rankcast.json');
  for (const text of ['{', '[]']) {
    writeFileSync(file, text);
    assert.equal(problemsOf(keys, {}, file).length, 1);
  }
  rmSync(folder, { recursive: true });
});

test('options can be shown without their secrets', () => {
  const shown = JSON.stringify(describeOptions(loadOptions({ flags: keys, environment: {} }, true)));
  assert.ok(!shown.includes(secret));
  assert.match(shown, /"apiKey":"\(set\)"/);
});

test('flags and variables are made from the names', () => {
  assert.equal(flagOf('tokenJwksUrl'), '--token-jwks-url');
  assert.equal(variableOf('tokenJwksUrl'), 'RANKCAST_TOKEN_JWKS_URL');
});
