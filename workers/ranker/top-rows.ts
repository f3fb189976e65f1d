import type { TopRow } from '../../channels/contest/messages.ts';
import type { Members } from './members.ts';

/** What the first rows are made from. */
export interface TopSource {
  readonly members: Members;
  scoreOf(entry: number): number;
  /** The score at which the first `rows` rows end, and how many entries are above it. */
  threshold(rows: number): { score: number; above: number };
  entryId(entry: number): string;
  userId(entry: number): string;
}

/**
 * The first rows of a leaderboard: the counts say at which score they end, one scan finds the entries above it and the
 * first by ordinal of those at it, and stops when it has them.
 */
export function topRows(source: TopSource, rows: number): TopRow[] {
  const { members } = source;
  const wanted = Math.min(rows, members.live);
  if (wanted === 0) return [];
  const { score: last, above } = source.threshold(wanted);
  const found: { ordinal: number; entry: number; score: number }[] = [];
  let missingAbove = above;
  let missingEqual = wanted - above;
  for (let ordinal = 0; missingAbove > 0 || missingEqual > 0; ordinal += 1) {
    if (!members.isPresent(ordinal)) continue;
    const entry = members.entryAt(ordinal);
    const score = source.scoreOf(entry);
    if (score < last) continue;
    if (score > last) missingAbove -= 1;
    else if (missingEqual > 0) missingEqual -= 1;
    else continue;
    found.push({ ordinal, entry, score });
  }
  found.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
  let rank = 0;
  return found.map(({ entry, score }, i): TopRow => {
    if (i === 0 || found[i - 1]!.score !== score) rank = i + 1;
    return [rank, source.entryId(entry), score, source.userId(entry)];
  });
}
