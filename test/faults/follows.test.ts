import { test } from 'node:test';
import { playRounds, seed } from './follow-rounds.ts';
import { createFollowWorld } from './follow-world.ts';

const rounds = Number(process.env['ROUNDS'] ?? 60);

test(`[FEED-1] [FEED-2] [FEED-3] [FEED-5] [FEED-6] commands through dying workers equal the model \
(SEED=${seed})`, async (t) => playRounds(t, await createFollowWorld({ sweepIntervalMs: 5 }), rounds));
