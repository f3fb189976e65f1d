/** The demo's contests as records: one that everyone is in, and small ones among a few. */
import type { ContestEvent, EntriesRecord, EntryItem } from '../proto/records.ts';
import { createRandom } from './random.ts';
import type { Team } from './teams.ts';

export interface ContestsOptions {
  match: string;
  /** Id of the contest that every team is in. */
  contest: string;
  smallContests: number;
  seed: number;
}

/** A small contest has 2 to so many teams; most have few. */
const smallContestTeamsMax = 200;
/** Of the small ones: more cannot be in one record. */
const smallContestsPerTeamMax = 50;
/** Items of one record: as many as it may have. */
const entriesPerRecord = 1_000;

function smallContestIds({ contest, smallContests }: ContestsOptions): string[] {
  return Array.from({ length: smallContests }, (_, n) => `${contest}-s${n + 1}`);
}

export function contestRecords(options: ContestsOptions, at: number): ContestEvent[] {
  const { match, contest } = options;
  return [contest, ...smallContestIds(options)].map((id) => ({
    type: 'contest',
    id: `contest-${at}`,
    at,
    contest: id,
    kind: 'fantasy',
    match,
    ...(id === contest ? { prizes: 1_000 } : {}),
  }));
}

/** Every team in the big contest and in the small ones it was drawn for, 1,000 to a record. */
export function entriesRecords(
  options: ContestsOptions,
  teams: readonly Team[],
  at: number,
): EntriesRecord[] {
  const drawn = drawSmallContests(options, teams.length);
  const records: EntriesRecord[] = [];
  for (let from = 0; from < teams.length; from += entriesPerRecord) {
    const items = teams.slice(from, from + entriesPerRecord).map(
      (team, place): EntryItem => ({
        entry: team.entry,
        user: team.user,
        contests: [options.contest, ...(drawn.get(from + place) ?? [])],
        players: team.players,
        captain: team.captain,
        viceCaptain: team.viceCaptain,
      }),
    );
    records.push({ type: 'entries', id: `entries-${from}`, at, match: options.match, entries: items });
  }
  return records;
}

/** Small contests by number of team. Sizes fall off as 1/u, from 2 to the maximum. */
function drawSmallContests(options: ContestsOptions, teams: number): Map<number, string[]> {
  const random = createRandom(options.seed);
  const drawn = new Map<number, string[]>();
  for (const contest of smallContestIds(options)) {
    const size = Math.min(teams, smallContestTeamsMax, Math.floor(2 / (1 - random())));
    for (let n = 0; n < size; n++) {
      const team = Math.floor(random() * teams);
      const its = drawn.get(team) ?? [];
      if (its.includes(contest) || its.length === smallContestsPerTeamMax) continue;
      its.push(contest);
      drawn.set(team, its);
    }
  }
  return drawn;
}
