import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { workerRoles } from '../../config/commands/serve.ts';
import { loadOptions } from '../../config/load-options.ts';
import { ConfigError, type OptionName, type Options, optionTable, variableOf } from '../../config/options.ts';
import { requestGraceMs } from '../../edge/shutdown.ts';
import { parseDockerfile } from '../image/dockerfile.ts';
import { projectRoot } from '../project.ts';
import {
  type Container,
  documentsOf,
  environmentOf,
  kubernetesFiles,
  kubernetesFolder,
  manifests,
  type Workload,
  workloads,
} from './manifests.ts';

const all = manifests();
const works = workloads();
const byName = (name: string): Workload => {
  const found = works.find((work) => work.name === name);
  assert.ok(found, `${name} is missing`);
  return found;
};
const containerOf = (work: Workload): Container => {
  assert.equal(work.pod.containers.length, 1, work.name);
  return work.pod.containers[0]!;
};
const secretVariables = new Set(
  (Object.keys(optionTable) as OptionName[])
    .filter((name) => 'secret' in optionTable[name])
    .map((name) => variableOf(name)),
);
const isEdge = (work: Workload) => containerOf(work).args?.[0] === 'edge';
const podIndex = (path: string): string => {
  assert.equal(path, "metadata.labels['apps.kubernetes.io/pod-index']");
  return '1';
};
const aSecret = (): string => randomBytes(24).toString('hex');
const variables = (work: Workload) => environmentOf(containerOf(work), aSecret, podIndex);
/** Files are read when options are: those of TLS are only in the cluster. */
function optionsOf(work: Workload): Options {
  const environment = { ...variables(work), RANKCAST_TLS_CERT_FILE: '', RANKCAST_TLS_KEY_FILE: '' };
  return loadOptions({ flags: {}, environment }, isEdge(work));
}
const annotationsOf = (name: string): Record<string, string> => {
  const found = all.find(({ manifest }) => manifest.kind === 'Service' && manifest.metadata.name === name);
  return Object.fromEntries(
    Object.entries(found?.manifest.metadata.annotations ?? {}).map(([key, value]) => [
      key.replace('service.beta.kubernetes.io/aws-load-balancer-', ''),
      value,
    ]),
  );
};
const attributes = (text = ''): Record<string, string> =>
  Object.fromEntries(text.split(',').map((pair) => pair.trim().split('=') as [string, string]));

test('every manifest is in the kustomization, but for the Secret, which nobody gets by default', () => {
  const { resources } = documentsOf(join(kubernetesFolder, 'kustomization.yaml'))[0] as unknown as {
    resources: string[];
  };
  const files = kubernetesFiles().filter((file) => file !== 'secret.example.yaml');
  assert.deepEqual([...resources].sort(), files.sort());
  for (const { file, manifest } of all) {
    if (manifest.kind !== 'Namespace') assert.equal(manifest.metadata.namespace, 'rankcast', file);
  }
});

test('the roles are what they say: edge, ranker, graph, followers, by commands that exist', () => {
  assert.deepEqual(works.map(({ name }) => name).sort(), [
    'rankcast-edge',
    'rankcast-followers',
    'rankcast-graph',
    'rankcast-ranker',
  ]);
  for (const work of works) {
    const { args = [], command, image } = containerOf(work);
    // the image's own entry point
    assert.equal(command, undefined);
    assert.equal(image, 'rankcast');
    if (args[0] === 'worker') workerRoles(args.slice(1));
    else assert.deepEqual(args, ['edge']);
  }
});

test('every variable is an option, and with its secrets each role’s options are taken', () => {
  for (const work of works) {
    const options = optionsOf(work);
    for (const name of ['redisUrl', 'kafkaBrokers', 'gremlinUrl', 'cassandraContactPoints'] as const) {
      assert.ok(options[name], `${work.name} would take the embedded twin of ${name}`);
    }
  }
});

test('with the example’s empty Secret an edge refuses to start and says what is missing', () => {
  const example = documentsOf(join(kubernetesFolder, 'secret.example.yaml'));
  assert.ok(
    example.every(({ data, stringData }) =>
      Object.values({ ...data, ...stringData }).every((value) => value === ''),
    ),
  );
  const environment = environmentOf(containerOf(byName('rankcast-edge')), () => '', podIndex);
  assert.throws(
    () => loadOptions({ flags: {}, environment }, true),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /no API key/);
      assert.match(error.message, /no token key/);
      return true;
    },
  );
});

test('secrets come by secretKeyRef only, from keys that the example names, and must be there', () => {
  const [example] = documentsOf(join(kubernetesFolder, 'secret.example.yaml'));
  const keys = Object.keys(example?.stringData ?? {});
  const used = new Set<string>();
  for (const work of works) {
    for (const { name, value, valueFrom } of containerOf(work).env) {
      if (!secretVariables.has(name)) continue;
      assert.equal(value, undefined, `${work.name}: ${name}`);
      const reference = valueFrom?.secretKeyRef;
      assert.equal(reference?.name, 'rankcast', `${work.name}: ${name}`);
      assert.ok(keys.includes(reference?.key ?? ''), `${work.name}: ${name} asks for ${reference?.key}`);
      assert.notEqual(reference?.optional, true);
      used.add(reference?.key ?? '');
    }
  }
  assert.deepEqual([...used].sort(), keys.sort());
  for (const { file, manifest } of all.filter((one) => one.manifest.kind === 'ConfigMap')) {
    for (const name of Object.keys(manifest.data ?? {})) {
      assert.ok(!secretVariables.has(name), `${file}: ${name} is a secret`);
    }
  }
});

test('Kubernetes adds no RANKCAST_ variable of its own, for unknown ones are refused', () => {
  for (const work of works) assert.equal(work.pod.enableServiceLinks, false, work.name);
  const environment = {
    ...environmentOf(containerOf(byName('rankcast-edge')), aSecret, podIndex),
    RANKCAST_EDGE_SERVICE_HOST: '10.1.2.3',
  };
  assert.throws(() => loadOptions({ flags: {}, environment }, true), /RANKCAST_EDGE_SERVICE_HOST names no/);
});

test('ports of options, containers, probes, services and health checks are the same', () => {
  for (const work of works) {
    const { port, opsPort, opsHost } = optionsOf(work);
    const container = containerOf(work);
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    assert.equal(ports.get('ops'), opsPort, work.name);
    assert.equal(opsHost, '0.0.0.0', work.name);
    if (isEdge(work)) assert.equal(ports.get('socket'), port);
    assert.deepEqual(container.startupProbe.httpGet, { path: '/healthz', port: 'ops' });
    assert.deepEqual(container.livenessProbe.httpGet, { path: '/healthz', port: 'ops' });
    assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: 'ops' });
    const exposed = parseDockerfile(readFileSync(join(projectRoot, 'Dockerfile'), 'utf8'))
      .at(-1)
      ?.instructions.find(({ name }) => name === 'EXPOSE')
      ?.text.split(' ')
      .map(Number);
    for (const used of ports.values()) assert.ok(exposed?.includes(used), `the image exposes no ${used}`);
  }
  for (const { manifest } of all.filter((one) => one.manifest.kind === 'Service')) {
    const { ports, selector } = manifest.spec as {
      ports: { name: string; port: number; targetPort: string }[];
      selector: Record<string, string>;
    };
    const chosen = works.filter(({ labels }) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value),
    );
    assert.ok(chosen.length > 0, `${manifest.metadata.name} selects nobody`);
    for (const { targetPort, name, port } of ports) {
      for (const work of chosen) {
        const there = containerOf(work).ports.find((one) => one.name === targetPort);
        assert.ok(there, `${manifest.metadata.name}: ${work.name} has no port ${targetPort}`);
        if (name === 'ops') assert.equal(port, there.containerPort);
      }
    }
  }
  const { opsPort } = optionsOf(byName('rankcast-edge'));
  const nlb = annotationsOf('rankcast-edge');
  assert.equal(nlb['healthcheck-port'], String(opsPort));
  assert.equal(nlb['healthcheck-path'], '/readyz');
});

test('an edge has the time to drain: preStop, deregistration delay, window, requests, and a minute', () => {
  const edge = byName('rankcast-edge');
  const { deregistrationDelayMs, drainWindowMs } = optionsOf(edge);
  const preStopS = containerOf(edge).lifecycle?.preStop.sleep.seconds ?? 0;
  assert.ok(preStopS > 0);
  const needsS = preStopS + (deregistrationDelayMs + drainWindowMs + requestGraceMs) / 1_000;
  const graceS = edge.pod.terminationGracePeriodSeconds;
  assert.ok(graceS >= needsS + 60, `${graceS} s of grace, ${needsS} s and a minute needed`);
  const group = attributes(annotationsOf('rankcast-edge')['target-group-attributes']);
  assert.equal(Number(group['deregistration_delay.timeout_seconds']) * 1_000, deregistrationDelayMs);
  // containers-roadmap#470: an NLB goes on routing for 30 to 120 s
  assert.ok(deregistrationDelayMs >= 120_000);
  assert.ok(drainWindowMs >= 30_000);
});

test('the NLB sends PROXY headers from where the edge takes them, and never cuts sockets by itself', () => {
  const nlb = annotationsOf('rankcast-edge');
  assert.equal(nlb['proxy-protocol'], '*');
  assert.equal(nlb['nlb-target-type'], 'ip');
  const group = attributes(nlb['target-group-attributes']);
  assert.equal(group['proxy_protocol_v2.enabled'], 'true');
  // with it on, the peer of a connection is the client: no stated network could be trusted
  assert.equal(group['preserve_client_ip.enabled'], 'false');
  assert.equal(group['deregistration_delay.connection_termination.enabled'], 'false');
  assert.equal(group['target_health_state.unhealthy.connection_termination.enabled'], 'false');
  assert.equal(attributes(nlb['attributes'])['load_balancing.cross_zone.enabled'], 'true');
  const { proxyProtocolFrom, idleMs, socketsMax, processes } = optionsOf(byName('rankcast-edge'));
  assert.ok(proxyProtocolFrom.length > 0);
  const blocks = all
    .filter(({ manifest }) => manifest.kind === 'NetworkPolicy' && manifest.metadata.name === 'rankcast-edge')
    .flatMap(
      ({ manifest }) => (manifest.spec as { ingress: { from: { ipBlock: { cidr: string } }[] }[] }).ingress,
    )
    .flatMap(({ from }) => from.map(({ ipBlock }) => ipBlock.cidr));
  assert.deepEqual(blocks, [...proxyProtocolFrom]);
  for (const block of blocks) assert.ok(isIPv4(block.split('/')[0] ?? ''), block);
  // pings come at half of it; an NLB forgets a silent connection after 350 s
  assert.ok(idleMs / 2 <= 350_000 / 3);
  // about 55,000 connections to one target where client addresses are not preserved
  assert.ok(processes * socketsMax <= 55_000);
});

test('scaling: no pod less in a rollout, one at a time when drained, by sockets, slowly down', () => {
  const edge = byName('rankcast-edge');
  const { strategy, replicas } = edge.spec as {
    strategy: { rollingUpdate: Record<string, unknown> };
    replicas?: number;
  };
  assert.equal(strategy.rollingUpdate['maxUnavailable'], 0);
  assert.equal(replicas, undefined, 'the autoscaler owns the number');
  const scaler = all.find(({ manifest }) => manifest.kind === 'HorizontalPodAutoscaler')?.manifest.spec as {
    scaleTargetRef: { name: string };
    metrics: { pods?: { metric: { name: string }; target: { averageValue: string } } }[];
    behavior: { scaleDown: { stabilizationWindowSeconds: number } };
  };
  assert.equal(scaler.scaleTargetRef.name, edge.name);
  const { metric, target } = scaler.metrics[0]?.pods ?? assert.fail('no metric of pods');
  const { socketsMax, processes } = optionsOf(edge);
  assert.ok(Number(target.averageValue) < processes * socketsMax);
  assert.equal(Number(containerOf(edge).resources.requests['cpu']), processes);
  assert.ok(scaler.behavior.scaleDown.stabilizationWindowSeconds >= edge.pod.terminationGracePeriodSeconds);
  const adapter = documentsOf(join(kubernetesFolder, 'monitoring/prometheus-adapter.yaml'))[0] as unknown as {
    rules: { custom: { name: { as: string }; seriesQuery: string }[] };
  };
  assert.equal(adapter.rules.custom[0]?.name.as, metric.name);
  const budgets = all.filter(({ manifest }) => manifest.kind === 'PodDisruptionBudget');
  for (const work of works) {
    const own = budgets.filter(({ manifest }) => {
      const { selector } = manifest.spec as { selector: { matchLabels: Record<string, string> } };
      return Object.entries(selector.matchLabels).every(([key, value]) => work.labels[key] === value);
    });
    assert.equal(own.length, 1, work.name);
    assert.equal((own[0]!.manifest.spec as { maxUnavailable: number }).maxUnavailable, 1);
  }
});

test('a ranker’s ordinal is its replica, and its checkpoints outlive it', () => {
  const ranker = byName('rankcast-ranker');
  assert.equal(ranker.kind, 'StatefulSet');
  assert.equal(optionsOf(ranker).replica, 1);
  const spec = ranker.spec as {
    replicas: number;
    serviceName: string;
    volumeClaimTemplates: { metadata: { name: string } }[];
  };
  assert.ok(spec.replicas >= 2);
  const service = all.find(
    ({ manifest }) => manifest.kind === 'Service' && manifest.metadata.name === spec.serviceName,
  );
  assert.equal((service!.manifest.spec as { clusterIP: string }).clusterIP, 'None');
  const claim = spec.volumeClaimTemplates[0]?.metadata.name;
  const mount = containerOf(ranker).volumeMounts.find(({ name }) => name === claim);
  assert.equal(mount?.mountPath, optionsOf(ranker).data);
});

test('nobody is root, writes into the image, or may do more than a plain process; limits are stated', () => {
  const accounts = new Map(
    all
      .filter(({ manifest }) => manifest.kind === 'ServiceAccount')
      .map(({ manifest }) => [manifest.metadata.name, manifest]),
  );
  for (const work of works) {
    const { pod, name } = work;
    const container = containerOf(work);
    assert.equal(pod.securityContext['runAsNonRoot'], true, name);
    assert.equal(pod.securityContext['runAsUser'], 1000, name);
    assert.equal(pod.securityContext['fsGroup'], 1000, name);
    assert.equal(container.securityContext['readOnlyRootFilesystem'], true, name);
    assert.equal(container.securityContext['allowPrivilegeEscalation'], false, name);
    assert.equal(pod.automountServiceAccountToken, false, name);
    assert.ok(accounts.has(pod.serviceAccountName), name);
    assert.ok(container.resources.requests['cpu'] && container.resources.requests['memory'], name);
    assert.ok(container.resources.limits['memory'], name);
    assert.ok(pod.topologySpreadConstraints.length > 0, name);
    assert.ok(
      container.volumeMounts.some(({ mountPath }) => mountPath === optionsOf(work).data),
      `${name} cannot write its data`,
    );
    assert.deepEqual(work.selector, work.labels, name);
  }
  // they sign their requests to Neptune
  for (const name of ['rankcast-graph', 'rankcast-followers']) {
    const account = accounts.get(byName(name).pod.serviceAccountName);
    const role = account?.metadata.annotations?.['eks.amazonaws.com/role-arn'] ?? '';
    assert.match(role, /^arn:aws:iam::\d{12}:role\//, name);
  }
});

test('files that manifests name are mounted', () => {
  const edge = byName('rankcast-edge');
  const mounts = containerOf(edge).volumeMounts;
  for (const name of ['tlsCertFile', 'tlsKeyFile'] as const) {
    const file = variables(edge)[variableOf(name)];
    assert.ok(file, name);
    const mount = mounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
    const volume = edge.pod.volumes.find(({ name }) => name === mount?.name);
    assert.equal(volume?.secret?.secretName, 'rankcast-edge-tls', file);
  }
  assert.ok(existsSync(join(kubernetesFolder, 'secret.example.yaml')));
});
