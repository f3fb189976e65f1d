import {
  changedScoresMax,
  changedUsersMax,
  smallContestEntriesMax,
} from '../../channels/contest/messages.ts';
import { limits } from '../../proto/limits.ts';

export interface RankingOptions {
  /** With the partition, part of every epoch. */
  topic: string;
  partition: number;
  /** Rows of `top`: what a phone shows before it asks for pages. */
  topRows: number;
  /** Beyond, a contest is large. Edges rank small ones entry by entry, and are sent all their entries. */
  smallContestEntriesMax: number;
  /**
   * Entries named in a frame of a fantasy contest, and of a `scores` contest; above, edges ask `who` again.
   */
  changedUsersMax: number;
  changedScoresMax: number;
  /**
   * Scores whose counts a frame names; above, it is whole. As many as frames of a busy contest touch in
   * seconds.
   */
  touchedScoresMax: number;
  /** A row of bits for each player and role is 24 bytes per 64 entries. */
  playersPerMatchMax: number;
  /** Entries ever accepted in a match: at 64 bytes each a million fits any process. Up to 16,777,214. */
  entriesPerMatchMax: number;
  /** Entries that ever were in a contest: the same. Up to 16,777,214. */
  entriesPerContestMax: number;
  /** Entries of one user in a match or `scores` contest: an answer to `who` stays readable. */
  entriesPerUserMax: number;
  /** Sets of contests stay short. */
  contestsPerEntryMax: number;
  /** Each takes about half a kilobyte besides its entries. */
  contestsPerMatchMax: number;
  /** More live at once than any season has. */
  matchesMax: number;
  /** Each takes some kilobytes besides its entries. */
  scoresContestsMax: number;
  /** Final matches and contests that are remembered by name after they left memory. */
  forgottenMax: number;
  /** Changes kept for the next checkpoint; above, they are dropped and the next one is whole. */
  segmentBytesMax: number;
}
export const rankingDefaults = {
  topic: 'contest-events',
  partition: 0,
  topRows: 20,
  smallContestEntriesMax,
  changedUsersMax,
  changedScoresMax,
  touchedScoresMax: 100_000,
  playersPerMatchMax: limits.playersPerMatchMax,
  entriesPerMatchMax: 1_000_000,
  entriesPerContestMax: 1_000_000,
  entriesPerUserMax: limits.entriesPerUserMax,
  contestsPerEntryMax: limits.contestsPerEntryMax,
  contestsPerMatchMax: 200_000,
  matchesMax: 10_000,
  scoresContestsMax: 100_000,
  forgottenMax: 10_000,
  segmentBytesMax: 64 * 1024 * 1024,
} as const satisfies RankingOptions;
