/** The match, its contests and everyone's teams, before the first ball. */
import type { Clock } from '../client/clock.ts';
import { type ContestsOptions, contestRecords, entriesRecords } from './contests.ts';
import type { Replay } from './replay.ts';
import type { Post } from './replay-into.ts';
import type { Team } from './teams.ts';

export interface Seeding {
  contests: ContestsOptions;
  replay: Replay;
  teams: readonly Team[];
  post: Post;
  clock: Clock;
  signal: AbortSignal;
  print(text: string): void;
  /** The contests are there; the teams follow. */
  onContests(): void;
}

const dayMs = 86_400_000;

/** The match is announced for tomorrow: what was half done before may be done again. */
export async function seedContests(seeding: Seeding): Promise<void> {
  const { contests, replay, teams, post, clock, signal, print } = seeding;
  const at = clock.now();
  await post([replay.matchRecord(at, at + dayMs), ...contestRecords(contests, at)]);
  seeding.onContests();
  let taken = 0;
  for (const record of entriesRecords(contests, teams, at)) {
    if (signal.aborted) return;
    await post([record]);
    const before = taken;
    taken += record.entries.length;
    const step = Math.floor((taken * 4) / teams.length) > Math.floor((before * 4) / teams.length);
    if (step) print(`${taken.toLocaleString('en')} of ${teams.length.toLocaleString('en')} teams are in.`);
  }
}
