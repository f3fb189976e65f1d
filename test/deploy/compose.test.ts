import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { workerRoles } from '../../config/commands/serve.ts';
import { loadOptions } from '../../config/load-options.ts';
import type { Options } from '../../config/options.ts';
import { requestGraceMs } from '../../edge/shutdown.ts';
import { projectRoot } from '../project.ts';
import { gremlinSettings } from '../services/gremlin.ts';
import { compose, environmentOf, graceMsOf, ours, type Service, servers } from './compose.ts';
import { deployFolder } from './manifests.ts';

const services = Object.entries(compose.services);
const serviceOf = (name: string): Service => compose.services[name] ?? assert.fail(`no ${name}`);
const keys = {
  RANKCAST_API_KEY: randomBytes(32).toString('hex'),
  RANKCAST_TOKEN_SECRET: randomBytes(32).toString('hex'),
};
const optionsOf = (service: Service): Options =>
  loadOptions({ flags: {}, environment: environmentOf(service, keys) }, service.command?.[0] === 'edge');

test('two edges, two ranker replicas, graph and followers, by commands that exist', () => {
  const commands = ours.map(([name, { command }]) => `${name}: ${command?.join(' ')}`);
  assert.deepEqual(commands, [
    'edge-0: edge',
    'edge-1: edge',
    'ranker-0: worker ranker archive',
    'ranker-1: worker ranker archive',
    'graph: worker graph',
    'followers: worker followers',
  ]);
  for (const [, { command = [] }] of ours) if (command[0] === 'worker') workerRoles(command.slice(1));
});

test('every variable is an option; all stand on the servers of the file; replicas differ', () => {
  const names = servers.map(([name]) => name);
  for (const [name, service] of ours) {
    const options = optionsOf(service);
    const addresses = [
      new URL(options.redisUrl ?? '').hostname,
      options.kafkaBrokers?.[0]?.split(':')[0],
      new URL(options.gremlinUrl ?? '').hostname,
      options.cassandraContactPoints?.[0]?.split(':')[0],
    ];
    for (const address of addresses) assert.ok(names.includes(address ?? ''), `${name}: ${address}`);
    assert.deepEqual(Object.keys(service.depends_on ?? {}).sort(), [...names].sort());
    for (const { condition } of Object.values(service.depends_on ?? {})) {
      assert.equal(condition, 'service_healthy');
    }
    assert.equal(options.kafkaReplication, 1);
    assert.equal(options.cassandraReplication, '1');
  }
  assert.equal(optionsOf(serviceOf('ranker-0')).replica, 0);
  assert.equal(optionsOf(serviceOf('ranker-1')).replica, 1);
});

test('no secret stands in the file, and without them nothing starts', () => {
  for (const name of ['edge-0', 'edge-1']) {
    const { environment = {} } = serviceOf(name);
    for (const secret of ['RANKCAST_API_KEY', 'RANKCAST_TOKEN_SECRET']) {
      assert.match(environment[secret] ?? '', new RegExp(`^\\$\\{${secret}:\\?[^}]+\\}$`));
    }
  }
  const text = readFileSync(join(deployFolder, 'compose.yaml'), 'utf8');
  assert.doesNotMatch(text, /PASSWORD|SECRET: [^$]/);
});

test('ports: those of the options, each published once, to loopback only; grace covers the drain', () => {
  const published = services.flatMap(([, { ports = [] }]) => ports);
  assert.ok(published.every((port) => port.startsWith('127.0.0.1:')));
  assert.equal(new Set(published.map((port) => port.split(':')[1])).size, published.length);
  for (const name of ['edge-0', 'edge-1']) {
    const service = serviceOf(name);
    const { port, opsPort, opsHost, deregistrationDelayMs, drainWindowMs } = optionsOf(service);
    assert.deepEqual(
      service.ports?.map((one) => Number(one.split(':')[2])),
      [port, opsPort],
    );
    assert.equal(opsHost, '0.0.0.0');
    assert.ok(graceMsOf(service) >= deregistrationDelayMs + drainWindowMs + requestGraceMs + 5_000);
  }
});

test('every volume is declared, used by one, and is where the process writes', () => {
  const named = services.flatMap(([, { volumes }]) =>
    volumes.map((volume) => volume.split(':')[0] ?? '').filter((name) => !name.startsWith('.')),
  );
  assert.deepEqual([...named].sort(), Object.keys(compose.volumes).sort());
  for (const [name, service] of ours) {
    assert.equal(service.read_only, true);
    assert.deepEqual(service.volumes, [`${name}:${optionsOf(service).data}`]);
  }
});

test('servers are checked for health, and are of the versions that the live tests start', () => {
  const maven = (name: string): string => {
    const pom = readFileSync(join(projectRoot, `test/services/maven/${name}/pom.xml`), 'utf8');
    return /<dependency>[\s\S]*?<version>([\d.]+)<\/version>/.exec(pom)?.[1] ?? '';
  };
  for (const [name, { healthcheck }] of servers) assert.ok((healthcheck?.test.length ?? 0) > 1, name);
  assert.deepEqual(
    servers.map(([, { image }]) => image),
    [
      // Debian 12's
      'redis:7.0.15',
      `apache/kafka:${maven('kafka')}`,
      `cassandra:${maven('cassandra')}`,
      `tinkerpop/gremlin-server:${maven('gremlin')}`,
    ],
  );
});

test('the Gremlin server has the settings of the live tests, and its files are mounted', () => {
  const folder = join(deployFolder, 'gremlin');
  const text = readFileSync(join(folder, 'gremlin-server.yaml'), 'utf8');
  const mounted = JSON.parse(JSON.stringify(parse(text))) as Record<string, unknown>;
  const tested = JSON.parse(
    JSON.stringify(gremlinSettings).replaceAll('conf/sources.groovy', '/rankcast/sources.groovy'),
  ) as Record<string, unknown>;
  assert.deepEqual(mounted, {
    ...tested,
    ...{ host: '0.0.0.0', port: 8182, graphs: { graph: '/rankcast/graph.properties' } },
  });
  const { volumes, command } = serviceOf('gremlin');
  assert.ok(volumes.includes('./gremlin:/rankcast:ro'));
  assert.deepEqual(command, ['/rankcast/gremlin-server.yaml']);
  for (const file of ['graph.properties', 'sources.groovy']) assert.ok(existsSync(join(folder, file)));
  assert.match(readFileSync(join(folder, 'graph.properties'), 'utf8'), /edgeIdManager=ANY/);
});

test('Kafka has the settings of the live tests that change what clients see', () => {
  const { environment = {} } = serviceOf('kafka');
  const source = readFileSync(join(projectRoot, 'test/services/kafka.ts'), 'utf8');
  for (const key of [
    'broker.session.timeout.ms',
    'broker.heartbeat.interval.ms',
    'controlled.shutdown.enable',
  ]) {
    const tested = new RegExp(`'${key}': '?([\\w]+)'?`).exec(source)?.[1]?.replaceAll('_', '');
    assert.equal(environment[`KAFKA_${key.replaceAll('.', '_').toUpperCase()}`], tested, key);
  }
});
