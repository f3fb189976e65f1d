import type { ContestEvent, EntryItem } from '../../proto/records.ts';
import { createRanking } from '../../workers/ranker/create-ranking.ts';
import type { Ranking } from '../../workers/ranker/ranking.ts';
import type { RankingOptions } from '../../workers/ranker/ranking-options.ts';

/** Short ways to write records in tests of the ranker, and to hand them over with rising offsets. */

export const squad = Array.from({ length: 15 }, (_, i) => `p${i}`);

type Extra = { id?: string; at?: number };

export class Feeder {
  ranking: Ranking;
  offset = 0;
  /** Codes of the last record's refusals, with the item's index where it was one. */
  refused: string[] = [];
  /** Sentences of the last record's refusals. */
  messages: string[] = [];
  private ids = 0;

  constructor(options: Partial<RankingOptions> = {}) {
    this.ranking = createRanking(options);
  }

  apply(record: ContestEvent): this {
    const refusals = this.ranking.apply(this.offset, record);
    this.offset += 1;
    this.refused = refusals.map(({ code, item }) => (item === null ? code : `${item} ${code}`));
    this.messages = refusals.map(({ message }) => message);
    return this;
  }

  /** A match of fifteen players that starts at 1,000, with steps of one point. */
  match(
    match: string,
    more: Extra & { players?: string[]; startsAt?: number; pointStep?: 1 | 0.5 } = {},
  ): this {
    const { players = squad, startsAt = 1_000, pointStep = 1 } = more;
    return this.apply({ type: 'match', ...this.head(more), match, players, startsAt, pointStep });
  }

  fantasy(contest: string, match: string, more: Extra & { prizes?: number } = {}): this {
    const { prizes } = more;
    const record = { type: 'contest', ...this.head(more), contest, kind: 'fantasy', match } as const;
    return this.apply(prizes === undefined ? record : { ...record, prizes });
  }

  scores(contest: string, more: Extra & { prizes?: number } = {}): this {
    const { prizes } = more;
    const record = { type: 'contest', ...this.head(more), contest, kind: 'scores' } as const;
    return this.apply(prizes === undefined ? record : { ...record, prizes });
  }

  entries(of: { match: string } | { contest: string }, entries: EntryItem[], more: Extra = {}): this {
    return this.apply({ type: 'entries', ...this.head(more), ...of, entries });
  }

  points(match: string, player: string, points: number, more: Extra & { label?: string } = {}): this {
    const record = { type: 'points', ...this.head(more), match, player, points } as const;
    return this.apply(more.label === undefined ? record : { ...record, label: more.label });
  }

  score(contest: string, entry: string, score: number, more: Extra = {}): this {
    return this.apply({ type: 'score', ...this.head(more), contest, entry, score });
  }

  final(of: { match: string } | { contest: string }, more: Extra = {}): this {
    return this.apply({ type: 'final', ...this.head(more), ...of });
  }

  /** [entry, score, rank] of each in the order of the board. */
  board(contest: string, ...entries: string[]): (string | number | null)[][] {
    return this.ranking
      .ranks(contest, entries)
      .ranks.map((found, i) => (found === null ? [entries[i]!, null] : [entries[i]!, ...found]));
  }

  /** Each record is later than those before it unless it says otherwise. */
  private head(more: Extra): { id: string; at: number } {
    this.ids += 1;
    return { id: more.id ?? `r${this.ids}`, at: more.at ?? this.ids };
  }
}

/** A team of the first eleven, captained by p0, with p1 as vice-captain. */
export function team(entry: string, contests: string[], more: Partial<EntryItem> = {}): EntryItem {
  const players = more.players ?? squad.slice(0, 11);
  return {
    entry,
    user: `u-${entry}`,
    contests,
    players,
    captain: players[0] ?? '',
    viceCaptain: players[1] ?? '',
    ...more,
  };
}

export function player(entry: string, contests: string[], user = `u-${entry}`): EntryItem {
  return { entry, user, contests };
}
