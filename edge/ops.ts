/**
 * The operators' port: is the process alive, is it ready, and its metrics. Apart from the edge's own port, so
 * that it can be closed to the world and answers while the other is full.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, type Registry } from 'prom-client';
import { takeOptionalHeader } from './optional-header.ts';
import { listenError } from './sockets/listening.ts';
import { answerNodeRequest } from './sockets/node-http.ts';
import type { HttpRequest, HttpResponse } from './sockets/sockets.ts';

/** `ready`, or a few words on why not. */
export type ReadyState = 'ready' | (string & {});

/**
 * What readiness hangs on, looked at when asked. One that is not `needed` is shown with its state, and the
 * process serves on without it: an edge without Kafka still answers reads, and is not to be taken away.
 */
export type ReadyPart = (() => ReadyState) | { state(): ReadyState; needed: boolean };
export type ReadyParts = Readonly<Record<string, ReadyPart>>;
export interface Readiness {
  ready: boolean;
  /** By name: `ready`, or why not. */
  dependencies: Record<string, string>;
}

export function readinessOf(parts: ReadyParts): Readiness {
  const dependencies: Record<string, string> = {};
  let ready = true;
  for (const [name, part] of Object.entries(parts)) {
    const { state, needed } = typeof part === 'function' ? { state: part, needed: true } : part;
    dependencies[name] = state();
    if (needed && dependencies[name] !== 'ready') ready = false;
  }
  return { ready, dependencies };
}

export interface OpsParts {
  host: string;
  /** 0: any free port. */
  port: number;
  registry: Registry;
  dependencies: ReadyParts;
  onFault(error: unknown): void;
}
export interface Ops {
  readonly port: number;
  /** From now on `/readyz` answers 503: load balancers send no one new. */
  unready(why: string): void;
  close(): Promise<void>;
}

/** Rejects with a sentence when the port is taken or forbidden. */
export async function createOps(parts: OpsParts): Promise<Ops> {
  const { host, port, registry, dependencies, onFault } = parts;
  const { readiness, unready } = createReadiness(registry, dependencies);
  const { contentType } = registry;
  const metrics = async () => ({ contentType, text: await registry.metrics() });
  return { ...(await openOpsPort({ host, port, readiness, metrics, onFault })), unready };
}

/** The state of the dependencies, until `unready` says otherwise; also as metrics. */
export function createReadiness(registry: Registry, dependencies: ReadyParts) {
  let why = '';
  const readiness = (): Readiness =>
    readinessOf(why === '' ? dependencies : { ...dependencies, edge: () => why });
  registerReadiness(registry, readiness);
  return {
    readiness,
    unready(reason: string): void {
      why = reason;
    },
  };
}

export interface OpsPortParts {
  host: string;
  port: number;
  readiness(): Readiness | Promise<Readiness>;
  metrics(): Promise<{ contentType: string; text: string }>;
  onFault(error: unknown): void;
}

/** The port itself. Rejects with a sentence when it is taken or forbidden. */
export async function openOpsPort(parts: OpsPortParts): Promise<Pick<Ops, 'port' | 'close'>> {
  const { host, onFault } = parts;

  async function onRequest({ method, path }: HttpRequest): Promise<HttpResponse> {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, `${path} takes GET only.\n`);
    switch (path) {
      case '/healthz':
        return plain(200, 'alive\n');
      case '/readyz': {
        const state = await parts.readiness();
        const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
        return { status: state.ready ? 200 : 503, headers, body: JSON.stringify(state) };
      }
      case '/metrics': {
        const { contentType, text } = await parts.metrics();
        return { status: 200, headers: { 'content-type': contentType }, body: text };
      }
      default:
        return plain(404, 'Here are /healthz, /readyz and /metrics.\n');
    }
  }

  const server = createServer((req, res) => answerNodeRequest(req, res, '', { onRequest, onFault }));
  const endSilent = takeOptionalHeader(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(host, parts.port, error)));
    server.listen({ host, port: parts.port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        endSilent();
      });
    },
  };
}

/** What `/readyz` says, for alerts: a process that is not ready can still be scraped. */
function registerReadiness(
  registry: Registry,
  readiness: () => { ready: boolean; dependencies: Record<string, string> },
): void {
  new Gauge({
    name: 'rankcast_ready',
    help: 'Whether /readyz says yes.',
    aggregator: 'min',
    registers: [registry],
    collect() {
      this.set(readiness().ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'rankcast_part_ready',
    help: 'Whether a part that /readyz hangs on is ready.',
    aggregator: 'min',
    labelNames: ['part'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [part, state] of Object.entries(readiness().dependencies)) {
        this.set({ part }, state === 'ready' ? 1 : 0);
      }
    },
  });
}

function plain(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}
