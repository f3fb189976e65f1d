import type { CodeName } from '../../proto/codes.ts';
import type { EntriesRecord, EntryItem } from '../../proto/records.ts';
import { putFantasyEntry, putScoresEntry } from './put-entry.ts';
import type { FantasyContest, MatchState, RankerState, ScoresContest } from './ranker-state.ts';
import type { Refusal } from './ranking.ts';
import type { Stamp } from './stamps.ts';
import { teamSize } from './team-board.ts';
import { touchContest } from './touch.ts';

/** What is wrong with an item. */
interface Fault {
  code: CodeName;
  message: string;
}

const fault = (code: CodeName, message: string): Fault => ({ code, message });

/** Items for the fantasy contests of a match that is not final. Answers the refusals. */
export function applyFantasyEntries(
  state: RankerState,
  match: MatchState,
  record: EntriesRecord,
  version: number,
): Refusal[] {
  const refusals: Refusal[] = [];
  let stampNumber = -1;
  const started = record.at >= match.startsAt;
  for (let i = 0; i < record.entries.length; i += 1) {
    const item = record.entries[i]!;
    for (const name of item.contests) {
      const named = state.contests.get(name);
      if (named !== undefined && named.kind === 'fantasy' && named.match === match)
        touchContest(named, version);
    }
    const entry = match.table.find(item.entry);
    if (entry >= 0 && !match.table.stamps.isAfter(record, match.table.stamp(entry))) continue;
    const checked = checkFantasyItem(state, match, item, entry, started);
    if ('code' in checked) {
      refusals.push({ code: checked.code, message: `entries[${i}]: ${checked.message}`, item: i });
      continue;
    }
    if (stampNumber < 0) stampNumber = match.table.stamps.add(record);
    const { contests, team } = checked;
    journalItem(state, match.no, item, entry, record, contests, team);
    putFantasyEntry(state, match, { item, entry, stampNumber, contests, team }, version);
  }
  if (stampNumber >= 0) {
    match.table.sweepStamps([]);
    match.sets.sweep(match.table.set, match.table.count);
  }
  return refusals;
}

/** Items for a `scores` contest that is not final. */
export function applyScoresEntries(
  state: RankerState,
  contest: ScoresContest,
  record: EntriesRecord,
): Refusal[] {
  const refusals: Refusal[] = [];
  let stampNumber = -1;
  const table = contest.table;
  for (let i = 0; i < record.entries.length; i += 1) {
    const item = record.entries[i]!;
    const entry = table.find(item.entry);
    if (entry >= 0 && !table.stamps.isAfter(record, table.stamp(entry))) continue;
    const wrong = checkScoresItem(state, contest, item, entry);
    if (wrong !== null) {
      refusals.push({ code: wrong.code, message: `entries[${i}]: ${wrong.message}`, item: i });
      continue;
    }
    if (stampNumber < 0) stampNumber = table.stamps.add(record);
    const contests = item.contests.length === 0 ? [] : [0];
    journalItem(state, contest.no, item, entry, record, contests, null);
    putScoresEntry(state, contest, item, entry, stampNumber, contests.length > 0);
  }
  if (stampNumber >= 0) table.sweepStamps([contest.scoreStamps]);
  return refusals;
}

function journalItem(
  state: RankerState,
  space: number,
  item: EntryItem,
  entry: number,
  stamp: Stamp,
  contests: readonly number[],
  team: readonly number[] | null,
): void {
  if (entry < 0) state.journal.newEntry(space, item.entry, item.user, stamp, contests, team);
  else state.journal.changedEntry(space, entry, stamp, contests, team);
}

interface Checked {
  contests: readonly number[];
  team: readonly number[] | null;
}
const withdrawn: Checked = { contests: [], team: null };

function checkFantasyItem(
  state: RankerState,
  match: MatchState,
  item: EntryItem,
  entry: number,
  started: boolean,
): Checked | Fault {
  if (entry >= 0 && !match.table.isUser(entry, item.user)) {
    return fault('wrong_user_of_entry', `entry ${item.entry} belongs to another user than ${item.user}`);
  }
  if (entry >= 0 && started) {
    return fault('match_started', `entry ${item.entry} cannot change: match ${match.id} has started`);
  }
  let checked = withdrawn;
  if (item.contests.length > 0) {
    const team = checkTeam(match, item);
    if ('code' in team) return team;
    const contests = checkContests(state, match, item, entry);
    if ('code' in contests) return contests;
    checked = { contests, team };
  }
  if (entry >= 0) return checked;
  return checkRoom(state, match, item) ?? checked;
}

/** Whether there is room for a new entry. */
function checkRoom(state: RankerState, owner: MatchState | ScoresContest, item: EntryItem): Fault | null {
  const { options } = state;
  const isMatch = !('kind' in owner);
  const max = isMatch ? options.entriesPerMatchMax : options.entriesPerContestMax;
  if (owner.table.count >= max) {
    return fault(
      'contest_full',
      `${isMatch ? 'match' : 'contest'} ${owner.id} has ${max} entries, the most it may`,
    );
  }
  if (owner.table.userIsFull(item.user, options.entriesPerUserMax)) {
    return fault(
      'contest_full',
      `user ${item.user} has ${options.entriesPerUserMax} entries, the most one may`,
    );
  }
  return null;
}

function checkTeam(match: MatchState, item: EntryItem): number[] | Fault {
  const { players, captain, viceCaptain } = item;
  if (players === undefined || captain === undefined || viceCaptain === undefined) {
    return fault('bad_team', `entry ${item.entry} needs players, captain and viceCaptain`);
  }
  if (players.length !== teamSize) {
    return fault('bad_team', `entry ${item.entry} has ${players.length} players, not ${teamSize}`);
  }
  const captainIndex = players.indexOf(captain);
  const viceIndex = players.indexOf(viceCaptain);
  if (captainIndex < 0)
    return fault('bad_team', `captain ${captain} is not among the players of ${item.entry}`);
  if (viceIndex < 0)
    return fault('bad_team', `viceCaptain ${viceCaptain} is not among the players of ${item.entry}`);
  if (captainIndex === viceIndex)
    return fault('bad_team', `entry ${item.entry}: ${captain} cannot be both captains`);
  const team = [0, 0];
  let missing: string | null = null;
  for (let i = 0; i < teamSize; i += 1) {
    const player = players[i]!;
    if (players.indexOf(player) !== i) return fault('bad_team', `entry ${item.entry} has ${player} twice`);
    const index = match.playerIndex.get(player);
    if (index === undefined) missing ??= player;
    else if (i === captainIndex) team[0] = index;
    else if (i === viceIndex) team[1] = index;
    else team.push(index);
  }
  return missing === null ? team : fault('no_such_player', `player ${missing} is not in match ${match.id}`);
}

/** Indexes of the contests in their match, ascending, each once. */
function checkContests(
  state: RankerState,
  match: MatchState,
  item: EntryItem,
  entry: number,
): number[] | Fault {
  const contests: number[] = [];
  for (const name of item.contests) {
    const contest = state.contests.get(name);
    if (contest === undefined) return checkGone(state, name);
    if (contest.kind !== 'fantasy') return fault('wrong_kind', `contest ${name} takes scores, not teams`);
    if (contest.match !== match)
      return fault('wrong_match', `contest ${name} belongs to match ${contest.match.id}`);
    if (!contests.includes(contest.index)) contests.push(contest.index);
  }
  const { contestsPerEntryMax, entriesPerContestMax } = state.options;
  if (contests.length > contestsPerEntryMax) {
    return fault('contest_full', `entry ${item.entry} is in more than ${contestsPerEntryMax} contests`);
  }
  for (const index of contests) {
    const contest = match.contests[index]!;
    if (isFull(contest, entry, entriesPerContestMax)) {
      return fault(
        'contest_full',
        `contest ${contest.id} has ${entriesPerContestMax} entries, the most it may`,
      );
    }
  }
  return contests.length > 1 ? contests.sort((a, b) => a - b) : contests;
}

function isFull(contest: FantasyContest, entry: number, max: number): boolean {
  return contest.members.size >= max && (entry < 0 || contest.members.find(entry) < 0);
}

/** A contest that is not here: never made, or of a match that left memory. */
function checkGone(state: RankerState, name: string): Fault {
  const forgotten = state.forgottenContests.get(name);
  if (forgotten === undefined) return fault('no_such_contest', `contest ${name} has not been created`);
  if (!forgotten.isMatch) return fault('wrong_kind', `contest ${name} takes scores, not teams`);
  return fault('wrong_match', `contest ${name} belongs to match ${forgotten.name}`);
}

function checkScoresItem(
  state: RankerState,
  contest: ScoresContest,
  item: EntryItem,
  entry: number,
): Fault | null {
  if (entry >= 0 && !contest.table.isUser(entry, item.user)) {
    return fault('wrong_user_of_entry', `entry ${item.entry} belongs to another user than ${item.user}`);
  }
  if (item.players !== undefined || item.captain !== undefined || item.viceCaptain !== undefined) {
    return fault('bad_team', `entry ${item.entry} has a team, but contest ${contest.id} takes scores`);
  }
  for (const name of item.contests) {
    if (name === contest.id) continue;
    const other = state.contests.get(name);
    const forgotten = state.forgottenContests.get(name);
    if (other === undefined && forgotten === undefined) {
      return fault('no_such_contest', `contest ${name} has not been created`);
    }
    const kind = other?.kind ?? (forgotten?.isMatch === true ? 'fantasy' : 'scores');
    if (kind === 'fantasy') return fault('wrong_kind', `contest ${name} takes teams, not scores`);
    return fault('wrong_match', `contests may name ${contest.id} only, not ${name}`);
  }
  return entry >= 0 ? null : checkRoom(state, contest, item);
}
