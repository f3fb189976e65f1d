/**
 * The program of an edge's processes in tests: an edge on engines of its own in a temporary folder, or what
 * the environment asks of it. With `supervise` as its first argument, the supervisor of two of them.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createEmbeddedBus } from '../../channels/bus/bus.embedded.ts';
import { systemClock as clock } from '../../channels/clock.ts';
import { createEmbeddedLookup } from '../../channels/lookup/lookup.embedded.ts';
import { createEmbeddedPages } from '../../channels/pages/pages.embedded.ts';
import { createEmbeddedRankedSets } from '../../channels/sets/ranked-sets.embedded.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { createEdge, edgeDefaults } from '../../edge/edge.ts';
import { createVerifier } from '../../edge/verifier/verifier.jose.ts';
import { verifierDefaults } from '../../edge/verifier/verifier-options.ts';
import { createEmbeddedArchive } from '../../workers/archive/archive.embedded.ts';
import { createEmbeddedLog } from '../../workers/log/log.embedded.ts';
import { logTopics } from '../../workers/log/topics.ts';
import { createIngest, ingestDefaults } from '../../workers/source/ingest.ts';
import { exitCodes } from './command-error.ts';
import { startEdgeProcesses } from './edge-processes.ts';
import { supervisedProcess } from './supervised.ts';

export const edgeProcessProgram: string = fileURLToPath(import.meta.url);
export const edgeProcessSecret = 'the secret of the tests of edges in several processes';
export const edgeProcessKey = 'the-key-of-back-ends-of-edges-in-processes';

const logger = pino({ level: 'silent' });

async function runEdge(args: readonly string[]): Promise<void> {
  const supervised = supervisedProcess();
  if (supervised === null) return;
  const named = (name: string): string => args[args.lastIndexOf(`--${name}`) + 1] ?? '';
  if (args.includes('--fail')) process.exit(7);
  if (args.includes('--away') && existsSync(named('away'))) process.exit(exitCodes.unreachable);
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-process-'));
  const store = openEmbeddedStore(folder);
  const setup = { store, clock, onError: () => {} };
  const log = createEmbeddedLog({ ...setup, topics: logTopics });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const edge = await createEdge({
    bus: createEmbeddedBus({ ...setup, newEpoch: randomUUID }),
    lookup: createEmbeddedLookup(setup),
    sets: createEmbeddedRankedSets({ store }),
    pages: createEmbeddedPages(setup),
    archive: createEmbeddedArchive({ store }),
    ingest: createIngest({ log, clock, options: ingestDefaults, logger, registry }),
    verifier: createVerifier({
      options: { ...verifierDefaults, tokenSecret: edgeProcessSecret },
      clock,
      logger,
    }),
    ...{ clock, logger, registry, supervised },
    options: {
      ...edgeDefaults,
      host: '127.0.0.1',
      port: Number(named('port')),
      sockets: named('sockets') as 'uws' | 'ws',
      apiKeys: [edgeProcessKey],
      drainWindowMs: 100,
    },
    edge: `edge-${process.pid}`,
    random: Math.random,
    newId: randomUUID,
  });
  supervised.tellListening(edge.port, edge.adapter);
  await supervised.end.signal;
  await edge.drain();
  // a write that still waits in a thread of the store would hold the exit (Node 22)
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

async function supervise(args: readonly string[]): Promise<void> {
  const { port } = await startEdgeProcesses({
    options: { processes: 2, host: '127.0.0.1', port: 0, opsHost: '127.0.0.1', opsPort: 0 },
    program: edgeProcessProgram,
    args,
    clock,
    logger,
  });
  process.stdout.write(`${port}\n`);
}

if (process.argv[1] === edgeProcessProgram) {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'supervise') await supervise(rest);
  else await runEdge(process.argv.slice(2));
}
