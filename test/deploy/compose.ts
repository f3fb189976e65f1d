/** `config/deploy/compose.yaml`, read as data. */
import { readYaml } from './manifests.ts';

export interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  read_only?: boolean;
}
export const compose = readYaml<{ services: Record<string, Service>; volumes: Record<string, null> }>(
  'compose.yaml',
);
const services = Object.entries(compose.services);
export const ours = services.filter(([, { image }]) => image === 'rankcast');
export const servers = services.filter(([, { image }]) => image !== 'rankcast');

/** As Compose does it: `${NAME:?sentence}` is the variable's value, and without one nothing starts. */
export function environmentOf(
  { environment = {} }: Service,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [
      name,
      text.replace(/\$\{(\w+):\?([^}]+)\}/g, (_, variable: string, sentence: string) => {
        const value = given[variable];
        if (value === undefined) throw new Error(`${variable}: ${sentence}`);
        return value;
      }),
    ]),
  );
}

export const graceMsOf = ({ stop_grace_period: grace = '10s' }: Service): number =>
  Number(/^(\d+)s$/.exec(grace)?.[1]) * 1_000;
