import type { Bytecode } from 'gremlin';
import gremlin from 'gremlin';
import { pino } from 'pino';
import { type Clock, systemClock } from '../../channels/clock.ts';
import { createGremlinGraph, type GremlinGraph, type GremlinGraphOptions } from './graph.gremlin.ts';
import { type GremlinConnection, openGremlinConnection } from './gremlin-connection.ts';

/** Helps of the tests on a real server. */
export const silent = pino({ level: 'silent' });

const { GraphTraversalSource, TraversalStrategies, t } = gremlin.process;
export const { statics } = gremlin.process;
/** What `by` takes for an element's id. */
export const ids = t.id;
/** To look at the server's graph by hand. */
export const g = new GraphTraversalSource(new gremlin.structure.Graph(), new TraversalStrategies());

export async function serverAt(url: string, source = 'g'): Promise<GremlinConnection> {
  return openGremlinConnection({
    url,
    source,
    tls: undefined,
    user: undefined,
    password: undefined,
    headers: async () => ({}),
    connectTimeoutMs: 10_000,
    pingIntervalMs: 60_000,
    onOver: () => undefined,
  });
}

export async function ask(
  url: string,
  request: { getBytecode(): Bytecode },
  source = 'g',
): Promise<unknown[]> {
  const server = await serverAt(url, source);
  try {
    return await server.submit(request.getBytecode(), 60_000);
  } finally {
    server.end();
  }
}

/** Runs a script on a Gremlin Server. */
export async function script(url: string, text: string): Promise<unknown[]> {
  const client = new gremlin.driver.Client(url);
  try {
    return (await client.submit(text)).toArray();
  } finally {
    await client.close();
  }
}

/** Both graphs, and without indexes; where edges go by a key, with the one that they need. */
export async function emptyGraph(url: string, edgeIds: 'given' | 'key' = 'given'): Promise<void> {
  const index = "graph.createIndex('key', org.apache.tinkerpop.gremlin.structure.Edge.class)";
  await script(url, `graph.clear(); ${edgeIds === 'key' ? index : ''}; 0`);
  await script(url, 'gtx.V().drop().iterate(); txgraph.tx().commit(); 0');
}

export function openGraph(
  url: string,
  options: Partial<GremlinGraphOptions> = {},
  clock: Clock = systemClock,
): GremlinGraph {
  return createGremlinGraph({
    clock,
    logger: silent,
    onError: (error) => {
      throw error;
    },
    options: { url, ...options },
  });
}
