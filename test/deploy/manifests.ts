/** The files of config/deploy/, read as data. Only what the tests look at is typed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { projectRoot } from '../project.ts';

export const deployFolder = join(projectRoot, 'config/deploy');
export const kubernetesFolder = join(deployFolder, 'kubernetes');

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: unknown;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}
export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    fieldRef?: { fieldPath: string };
  };
}
export interface Probe {
  httpGet: { path: string; port: string | number };
}
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  ports: { name: string; containerPort: number }[];
  envFrom: { configMapRef: { name: string } }[];
  env: EnvironmentVariable[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string }[];
}
export interface PodSpec {
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  enableServiceLinks: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: Record<string, unknown>;
  topologySpreadConstraints: unknown[];
  containers: Container[];
  volumes: { name: string; secret?: { secretName: string } }[];
}
/** A Deployment or StatefulSet. */
export interface Workload {
  file: string;
  name: string;
  kind: string;
  selector: Record<string, string>;
  labels: Record<string, string>;
  spec: Record<string, unknown>;
  pod: PodSpec;
}

export function documentsOf(file: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    return document.toJS() as Manifest;
  });
}

export const kubernetesFiles = (): string[] =>
  readdirSync(kubernetesFolder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');

export function manifests(): { file: string; manifest: Manifest }[] {
  return kubernetesFiles().flatMap((file) =>
    documentsOf(join(kubernetesFolder, file)).map((manifest) => ({ file, manifest })),
  );
}

export function readYaml<T>(file: string): T {
  return parse(readFileSync(join(deployFolder, file), 'utf8'), { merge: true }) as T;
}

interface WorkloadSpec extends Record<string, unknown> {
  selector: { matchLabels: Record<string, string> };
  template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
}

export function workloads(): Workload[] {
  return manifests()
    .filter(({ manifest }) => ['Deployment', 'StatefulSet'].includes(manifest.kind))
    .map(({ file, manifest }) => {
      const spec = manifest.spec as WorkloadSpec;
      return {
        ...{ file, spec, kind: manifest.kind, name: manifest.metadata.name },
        selector: spec.selector.matchLabels,
        labels: spec.template.metadata.labels,
        pod: spec.template.spec,
      };
    });
}

/** The variables that a container starts with; `secrets` and `fields` stand for what only a cluster knows. */
export function environmentOf(
  container: Container,
  secretValue: (key: string) => string,
  fieldValue: (path: string) => string,
): Record<string, string> {
  const maps = new Map(
    manifests()
      .filter(({ manifest }) => manifest.kind === 'ConfigMap')
      .map(({ manifest }) => [manifest.metadata.name, manifest.data ?? {}]),
  );
  const environment: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom) {
    const map = maps.get(configMapRef.name);
    if (map === undefined) throw new Error(`${container.name}: there is no ConfigMap ${configMapRef.name}`);
    Object.assign(environment, map);
  }
  for (const { name, value, valueFrom } of container.env) {
    if (valueFrom?.secretKeyRef !== undefined) environment[name] = secretValue(valueFrom.secretKeyRef.key);
    else if (valueFrom?.fieldRef !== undefined) environment[name] = fieldValue(valueFrom.fieldRef.fieldPath);
    else environment[name] = value ?? '';
  }
  return environment;
}
