/** An edge: admission, sockets, the live path, HTTP and the operators' port, put together. */
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus } from '../channels/bus/bus.ts';
import type { Clock } from '../channels/clock.ts';
import { type DemandOptions, demandDefaults } from '../channels/contest/demand-options.ts';
import { type HubOptions, hubDefaults } from '../channels/hub/hub-options.ts';
import type { Lookup } from '../channels/lookup/lookup.ts';
import type { Pages } from '../channels/pages/pages.ts';
import { shownAffinity } from '../channels/sets/affinity.ts';
import type { RankedSets } from '../channels/sets/ranked-sets.ts';
import { limits } from '../proto/limits.ts';
import { type Admission, type AdmissionOptions, admissionDefaults, createAdmission } from './admission.ts';
import { type CertificateWatch, watchCertificate } from './certificate-watch.ts';
import { mergeChannelInfo } from './channel-info.ts';
import { createDisconnects } from './disconnects.ts';
import type { HttpArchive } from './http/contest-archive.ts';
import { createHttpApi, type HttpApiOptions, type HttpIngest, httpApiDefaults } from './http/http-api.ts';
import { createLive, type Live } from './live.ts';
import { type LiveOptions, liveDefaults } from './live-options.ts';
import { createOps, type Ops, type OpsParts, type ReadyParts } from './ops.ts';
import { createPeers } from './peers.ts';
import { createRefusals } from './refusals.ts';
import { createShutdown, type ShutdownOptions, shutdownDefaults } from './shutdown.ts';
import { type Certificate, readCertificate } from './sockets/certificate.ts';
import { openSockets } from './sockets/open-sockets.ts';
import type { HttpRequest, HttpResponse, SocketServer } from './sockets/sockets.ts';
import type { Verifier } from './verifier/verifier.ts';

export interface EdgeOptions extends AdmissionOptions, HttpApiOptions, LiveOptions, ShutdownOptions {
  host: string;
  port: number;
  opsHost: string;
  opsPort: number;
  sockets: 'auto' | 'uws' | 'ws';
  proxyProtocolFrom: string[];
  tlsCertFile: string;
  tlsKeyFile: string;
  frameBytesMax: number;
  bufferBytesMax: number;
}
export const edgeDefaults: EdgeOptions = {
  ...admissionDefaults,
  ...httpApiDefaults,
  ...liveDefaults,
  ...shutdownDefaults,
  host: '0.0.0.0',
  port: 8080,
  // Metrics and readiness are nobody's business but the operators'.
  opsHost: '127.0.0.1',
  opsPort: 8081,
  sockets: 'auto',
  // Nobody's word on whose connection it is is taken.
  proxyProtocolFrom: [],
  // Empty: TLS ends before the edge, or nowhere.
  tlsCertFile: '',
  tlsKeyFile: '',
  frameBytesMax: limits.frameBytesMax,
  // A few of the largest frames (entries of a user in 100 contests' teams: 64 KiB); a phone in a tunnel is
  // behind by less for many seconds.
  bufferBytesMax: 256 * 1024,
};

export interface EdgeParts {
  bus: Bus;
  lookup: Lookup;
  sets: RankedSets;
  pages: Pages;
  /** Past leaderboards. */
  archive: HttpArchive;
  ingest: HttpIngest;
  verifier: Verifier;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  options: EdgeOptions;
  hubOptions?: HubOptions;
  demandOptions?: DemandOptions;
  /** Unique among the edges that share a bus. */
  edge: string;
  /** 0 to 1. */
  random(): number;
  /** A new id of 1 to 36 bytes of [A-Za-z0-9_-], never given before. */
  newId(): string;
  /** What else readiness hangs on, and what is to be shown beside it, by name. */
  dependencies?: ReadyParts;
  /** One of several processes of an edge, which listen on one port and have one operators' port together. */
  supervised?: { openOps(parts: OpsParts): Promise<Ops> } | undefined;
  /** Answers paths that are none of ours, e.g. static files; null: nothing is there. */
  fallback?: (request: HttpRequest) => Promise<HttpResponse | null>;
}
export interface Edge {
  readonly port: number;
  readonly opsPort: number;
  readonly adapter: SocketServer['adapter'];
  readonly live: Live;
  /** Looks at the TLS certificate's files now (as on SIGHUP); without TLS, nothing. */
  reloadCertificate(): Promise<void>;
  /** As on SIGTERM: unready, serve on, move the sockets, close. Resolves when all is closed. */
  drain(): Promise<void>;
  /** At once. */
  close(): Promise<void>;
}

/** Rejects with a sentence when a port is taken; nothing is left open then. */
export async function createEdge(parts: EdgeParts): Promise<Edge> {
  const { options, clock, logger, registry } = parts;
  let server: SocketServer | null = null;
  const live = createLive({
    ...parts,
    hubOptions: parts.hubOptions ?? hubDefaults,
    demandOptions: parts.demandOptions ?? demandDefaults,
    publish: (topic, bytes, binary) => server?.publish(topic, bytes, binary),
  });
  const admission = createAdmission({ options, clock, registry, open: () => server?.sockets ?? 0 });
  const disconnects = await createDisconnects(parts.bus, live);
  const peers = await createPeers({
    ...{ bus: parts.bus, clock, logger, edge: parts.edge },
    answer: (channel) => live.channelInfo(channel),
  });
  const http = createHttpApi({
    ...parts,
    live: {
      disconnectUser: disconnects.tell,
      channelInfo: async (channel) => {
        const { answers, silent } = await peers.ask(channel);
        return mergeChannelInfo(answers, silent);
      },
    },
    originAllowed: admission.originAllowed,
    shownAffinity,
  });
  const requests = createRequestCount(http.handle);
  const onFault = (error: unknown): void => logger.error({ err: error }, 'A callback of the edge threw.');
  let ops: Ops | null = null;
  let watch: CertificateWatch | null = null;

  async function close(): Promise<void> {
    watch?.close();
    live.close();
    disconnects.close();
    peers.close();
    await server?.close();
    await ops?.close();
  }

  try {
    const onRefused = createRefusals(parts);
    const certificate = certificateOf(options);
    const shared = parts.supervised !== undefined;
    const served = {
      shared,
      admission,
      live,
      handle: requests.handle,
      onRefused,
      onFault,
      logger,
      certificate,
    };
    const sockets = await openEdgeSockets(options, served);
    server = sockets;
    if (certificate !== null) {
      const use = (next: Certificate): Promise<void> => sockets.useCertificate(next);
      watch = watchCertificate({ ...parts, certificate, use });
    }
    ops = await (parts.supervised?.openOps ?? createOps)({
      host: options.opsHost,
      port: options.opsPort,
      registry,
      dependencies: { ...parts.dependencies, live: () => live.readyState() },
      onFault,
    });
  } catch (error) {
    await close();
    throw error;
  }
  const shutdown = createShutdown({
    options,
    clock,
    logger,
    unready: () => ops?.unready('draining'),
    refuseSockets: admission.startDrain,
    moveSockets: (windowMs) => live.startDrain(windowMs),
    idle: requests.idle,
    close,
  });
  const { port, adapter } = server;
  logger.info({ port, opsPort: ops.port, adapter }, 'edge listens');
  const reloadCertificate = async (): Promise<void> => watch?.reload();
  return { port, opsPort: ops.port, adapter, live, reloadCertificate, drain: shutdown.drain, close };
}

/** Throws a sentence where the files will not do. */
function certificateOf({ tlsCertFile, tlsKeyFile }: EdgeOptions): Certificate | null {
  if (tlsCertFile === '' && tlsKeyFile === '') return null;
  if (tlsCertFile === '') throw new Error('The TLS key has no certificate: name the file with it.');
  if (tlsKeyFile === '') throw new Error('The TLS certificate has no key: name the file with it.');
  return readCertificate(tlsCertFile, tlsKeyFile);
}

interface Served {
  admission: Admission;
  live: Live;
  handle(request: HttpRequest): Promise<HttpResponse>;
  onRefused(peer: string, why: string): void;
  onFault(error: unknown): void;
  logger: Logger;
  certificate: Certificate | null;
  shared: boolean;
}

function openEdgeSockets(
  options: EdgeOptions,
  { admission, live, handle, onRefused, onFault, logger, certificate, shared }: Served,
): Promise<SocketServer> {
  const { host, port, proxyProtocolFrom, frameBytesMax, bufferBytesMax, idleMs, sockets } = options;
  const socketOptions = {
    host,
    port,
    shared,
    proxyProtocolFrom,
    certificate,
    socketPath: '/v1/socket',
    frameBytesMax,
    bufferBytesMax,
    idleMs,
    onUpgrade: admission.decide,
    onOpen: live.open.bind(live),
    onRequest: handle,
    onRefused,
    onFault,
  };
  return openSockets(socketOptions, sockets, logger);
}

/** Counts requests under way, so that the last answers leave before the port is closed. */
function createRequestCount(handle: (request: HttpRequest) => Promise<HttpResponse>) {
  let open = 0;
  let waiting: (() => void)[] = [];
  return {
    async handle(request: HttpRequest): Promise<HttpResponse> {
      open += 1;
      try {
        return await handle(request);
      } finally {
        open -= 1;
        if (open === 0) {
          for (const resolve of waiting) resolve();
          waiting = [];
        }
      }
    },
    idle(): Promise<void> {
      return open === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
  };
}
