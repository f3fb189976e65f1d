import { test } from 'node:test';
import { emptyGraph, openGraph } from '../../workers/graph/graph.gremlin.testbed.ts';
import { sharedGremlin } from '../services/shared.ts';
import { playRounds, seed } from './follow-rounds.ts';
import { createFollowWorld } from './follow-world.ts';

/** The same as follows.test.ts with the graph on a Gremlin server. */
const rounds = Number(process.env['ROUNDS'] ?? 12);

for (const traversalSource of ['g', 'gtx']) {
  test(`[FEED-1] [FEED-2] [FEED-3] [FEED-5] [FEED-6] commands through dying workers into Gremlin's \
${traversalSource} equal the model (SEED=${seed})`, async (t) => {
    const url = await sharedGremlin();
    await emptyGraph(url);
    const world = await createFollowWorld({
      openGraph: (clock) => openGraph(url, { traversalSource, sweepIntervalMs: 100 }, clock),
    });
    await playRounds(t, world, rounds);
  });
}
