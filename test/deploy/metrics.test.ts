import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createBusMetrics } from '../../channels/bus/bus-metrics.redis.ts';
import { systemClock } from '../../channels/clock.ts';
import { createDependency } from '../../channels/dependency/dependency.ts';
import { registerProcessMetrics } from '../../config/commands/edge-processes.ts';
import { type Part, startEdge, startWorkers, workerRoleNames } from '../../config/compose.ts';
import { openEngines } from '../../config/engines.ts';
import { loadOptions } from '../../config/load-options.ts';
import { watchCertificate } from '../../edge/certificate-watch.ts';
import type { Edge } from '../../edge/edge.ts';
import { deployFolder, documentsOf, kubernetesFolder, readYaml, workloads } from './manifests.ts';
import { namedIn, type Selector } from './promql.ts';

/**
 * Alerts, dashboard and autoscaler against metrics that are really there: those of all roles in one process,
 * put together as `rankcast all` does, and asked for over HTTP; with what only real servers bring, made by
 * the code that makes them there.
 */
interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}
interface Panel {
  title: string;
  type: string;
  targets?: { expr: string; legendFormat: string }[];
}
const rules = readYaml<{ groups: { name: string; rules: Rule[] }[] }>('alerts.yaml').groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(readFileSync(join(deployFolder, 'grafana-dashboard.json'), 'utf8')) as {
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
};
const expressions: [where: string, expr: string][] = [
  ...rules.map((rule) => [rule.alert, rule.expr] as [string, string]),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    (targets ?? []).map(({ expr }) => [`panel ${title}`, expr] as [string, string]),
  ),
];
/** Prometheus adds these to whatever it scrapes. */
const added = ['job', 'instance', 'namespace', 'pod'];

const folder = mkdtempSync(join(tmpdir(), 'rankcast-metrics-'));
const logger = pino({ level: 'silent' });
const registry = new Registry();
const parts: Part[] = [];
let edge: Edge;
let text = '';
let closeEngines: () => Promise<void>;
/** Labels by metric, a histogram's series included. */
const labels = new Map<string, string[]>();

before(async () => {
  const secret = 's'.repeat(40);
  const flags = { data: folder, port: '0', opsPort: '0', apiKey: secret, tokenSecret: secret };
  const options = loadOptions({ flags: { ...flags, logLevel: 'silent' }, environment: {} }, true);
  const engines = await openEngines(
    { options, clock: systemClock, logger, registry },
    { graph: true, archive: true, shared: false },
  );
  closeEngines = () => engines.close();
  collectDefaultMetrics({ register: registry });
  const context = { options, engines, clock: systemClock, logger, registry };
  await startWorkers(context, workerRoleNames, parts, () => false);
  edge = await startEdge(context, parts);
  createDependency({ name: 'redis', clock: systemClock, registry, logger });
  const none = () => 0;
  createBusMetrics(registry, {
    ...{ commandConnections: none, subscriberConnections: none, topics: none, waiting: none },
  });
  registerProcessMetrics(registry, { size: 2 });
  watchCertificate({
    certificate: { certFile: '', keyFile: '', cert: '', key: '', expiresAt: Date.now() + 1e6 },
    ...{ clock: systemClock, logger, registry, use: async () => {} },
  }).close();
  text = await (await fetch(`http://127.0.0.1:${edge.opsPort}/metrics`)).text();
  for (const metric of registry.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[]) {
    labels.set(metric.name, metric.labelNames);
  }
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== 'histogram') continue;
    const own = labels.get(name) ?? [];
    labels.set(`${name}_bucket`, [...own, 'le']);
    labels.set(`${name}_count`, own);
    labels.set(`${name}_sum`, own);
  }
});
after(async () => {
  await edge.drain();
  for (const part of parts.reverse()) await part.close();
  await closeEngines();
  rmSync(folder, { recursive: true, force: true });
});

const exists = (name: string): boolean =>
  name === 'up' ||
  text.includes(`# TYPE ${name.replace(/_(bucket|count|sum)$/, '')} `) ||
  text.includes(`# TYPE ${name} `);

function faultsOf({ metric, labels: used }: Selector): string[] {
  if (!exists(metric)) return [`there is no ${metric}`];
  const known = [...added, ...(labels.get(metric) ?? [])];
  return used.filter((label) => !known.includes(label)).map((label) => `${metric} has no label ${label}`);
}

test('every metric and label of alerts and dashboard is there', () => {
  const wrong = expressions.flatMap(([where, expr]) => {
    const { selectors, grouped } = namedIn(expr);
    assert.ok(selectors.length > 0, where);
    const known = [...added, ...selectors.flatMap(({ metric }) => labels.get(metric) ?? [])];
    return [
      ...selectors.flatMap(faultsOf),
      ...grouped.filter((label) => !known.includes(label)).map((label) => `nothing has a label ${label}`),
    ].map((fault) => `${where}: ${fault}`);
  });
  assert.deepEqual(wrong, []);
});

test('the metric that the autoscaler’s is made of is there, with its state', () => {
  const { rules: adapter } = documentsOf(
    join(kubernetesFolder, 'monitoring/prometheus-adapter.yaml'),
  )[0] as unknown as {
    rules: { custom: { seriesQuery: string; metricsQuery: string; name: { matches: string } }[] };
  };
  for (const { seriesQuery, metricsQuery, name } of adapter.custom) {
    const [selector] = namedIn(seriesQuery).selectors;
    assert.deepEqual(faultsOf(selector ?? assert.fail(seriesQuery)), []);
    assert.match(selector?.metric ?? '', new RegExp(name.matches));
    assert.match(text, /^rankcast_sockets\{state="open"\} 0$/m);
    assert.match(metricsQuery, /rankcast_sockets\{state="open",/);
  }
});

test('every metric of ours is on the dashboard or in an alert', () => {
  const used = new Set(
    expressions.flatMap(([, expr]) =>
      namedIn(expr).selectors.map(({ metric }) => metric.replace(/_(bucket|count|sum)$/, '')),
    ),
  );
  const ours = [...text.matchAll(/^# TYPE (rankcast_\S+) /gm)].map(([, name]) => name ?? '');
  assert.ok(ours.length > 40);
  assert.deepEqual(
    ours.filter((name) => !used.has(name)),
    [],
  );
});

test('each alert has a severity, a sentence, and its section in the docs; none is left over', () => {
  const page = readFileSync(join(deployFolder, '../../docs/operations.md'), 'utf8');
  const sections = [...page.matchAll(/^#### (Rankcast\w+)\n\n\*(\w+)\*, (?:at once|after (\w+))\. /gm)];
  assert.deepEqual(
    sections.map(([, name, severity, wait]) => [name, severity, wait ?? '0m']),
    rules.map(({ alert, labels: { severity }, for: wait }) => [alert, severity, wait]),
  );
  for (const {
    alert,
    annotations,
    labels: { severity },
  } of rules) {
    assert.ok(['critical', 'warning', 'info'].includes(severity));
    assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
    assert.ok(annotations.summary.length > 0 && annotations.description.endsWith('.'), alert);
  }
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
});

test('each alert is tried: once raised, once quiet', () => {
  const cases = documentsOf(join(deployFolder, '../../test/deploy/alerts.rules.yaml'))[0] as unknown as {
    tests: { name: string; alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const tried = cases.tests.map(({ name, alert_rule_test: [one] }) => {
    assert.equal(name, `${one?.alertname} ${one?.exp_alerts.length === 0 ? 'quiet' : 'raised'}`);
    return name;
  });
  assert.deepEqual(
    tried,
    rules.flatMap(({ alert }) => [`${alert} raised`, `${alert} quiet`]),
  );
});

test('the memory that the alert calls much is 80 to 95 % of the manifests’ limits', () => {
  const { expr } = rules.find(({ alert }) => alert === 'RankcastMemory') ?? assert.fail();
  const bounds = [...expr.matchAll(/job=~"rankcast-\((\S+)\)"\} > (\S+)/g)].flatMap(([, jobs = '', bound]) =>
    jobs.split('|').map((job) => [`rankcast-${job}`, Number(bound)] as const),
  );
  const works = workloads();
  assert.deepEqual(bounds.map(([job]) => job).sort(), works.map(({ name }) => name).sort());
  for (const [job, bound] of bounds) {
    const limit = works.find(({ name }) => name === job)?.pod.containers[0]?.resources.limits['memory'] ?? '';
    const [, number, unit] = /^(\d+)(Gi|Mi)$/.exec(limit) ?? assert.fail(limit);
    const share = bound / (Number(number) * (unit === 'Gi' ? 2 ** 30 : 2 ** 20));
    assert.ok(share > 0.8 && share < 0.95, `${job}: ${share}`);
  }
});

test('the dashboard chooses by $job and $instance everywhere, and no panel is without a query', () => {
  assert.deepEqual(
    dashboard.templating.list.map(({ name }) => name),
    ['datasource', 'job', 'instance'],
  );
  for (const { title, type, targets } of dashboard.panels) {
    if (type === 'row') continue;
    assert.ok(title !== '' && (targets?.length ?? 0) > 0, title);
    for (const { expr } of targets ?? []) {
      const chosen = [...expr.matchAll(/job=~"\$job", instance=~"\$instance"/g)].length;
      assert.equal(chosen, namedIn(expr).selectors.length, `${title}: ${expr}`);
    }
  }
});
