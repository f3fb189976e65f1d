import type { TopRow } from '../../channels/contest/messages.ts';
import type { Members } from './members.ts';

/** What the first rows are made from. */
export interface TopSource {
  readonly members: Members;
  scoreOf(entry: number): number;
  /** The score at which the first `rows` rows end, and how many entries are above it. */
  threshold(rows: number): { score: number; above: number };
  /**
   * The next entry from `from` on with a score of at least `floor`, in the contest or not; -1: none. null:
   * few of all entries are in the contest, so its list is shorter.
   */
  nextAtLeast: ((from: number, floor: number) => number) | null;
  entryId(entry: number): string;
  userId(entry: number): string;
}
interface Found {
  ordinal: number;
  entry: number;
  score: number;
}

/**
 * Of equal scores, so many are looked at to find the first; where there are more, the list finds them at
 * once.
 */
const equalMax = 4_096;

/**
 * The first rows of a leaderboard: the counts say at which score they end, one scan finds the entries above
 * it and the first by ordinal of those at it, and stops when it has them.
 */
export function topRows(source: TopSource, rows: number): TopRow[] {
  const wanted = Math.min(rows, source.members.live);
  if (wanted === 0) return [];
  const { score: last, above } = source.threshold(wanted);
  const found = foundByEntry(source, last, above, wanted) ?? foundByOrdinal(source, last, above, wanted);
  found.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
  let rank = 0;
  return found.slice(0, wanted).map(({ entry, score }, i): TopRow => {
    if (i === 0 || found[i - 1]!.score !== score) rank = i + 1;
    return [rank, source.entryId(entry), score, source.userId(entry)];
  });
}

/** Goes over the scores in the order of memory. null: not possible, or too many are equal. */
function foundByEntry(source: TopSource, last: number, above: number, wanted: number): Found[] | null {
  const { members, nextAtLeast } = source;
  if (nextAtLeast === null) return null;
  const found: Found[] = [];
  let missingAbove = above;
  let equal = 0;
  // The first by number are the first by ordinal only where entries appeared in the order of their numbers.
  const equalWanted = members.ascending ? wanted - above : equalMax + 1;
  for (let entry = nextAtLeast(0, last); entry >= 0; entry = nextAtLeast(entry + 1, last)) {
    const score = source.scoreOf(entry);
    if (score === last && equal >= equalWanted) continue;
    const ordinal = members.find(entry);
    if (ordinal < 0 || !members.isPresent(ordinal)) continue;
    found.push({ ordinal, entry, score });
    if (score > last) missingAbove -= 1;
    else equal += 1;
    if (equal > equalMax) return null;
    if (missingAbove === 0 && equal === equalWanted) break;
  }
  return found;
}

function foundByOrdinal(source: TopSource, last: number, above: number, wanted: number): Found[] {
  const { members } = source;
  const found: Found[] = [];
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
  return found;
}
