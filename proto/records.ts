/**
 * The records of the Kafka topics (an interface: back ends write them). Validation: `parseRecord` in
 * parse-record.ts.
 */

interface RecordHead {
  /** 1 to 36 bytes of [A-Za-z0-9_-]. */
  id: string;
  /** Event time, ms since the epoch. */
  at: number;
}
export interface MatchRecord extends RecordHead {
  type: 'match';
  match: string;
  players: string[];
  startsAt: number;
  pointStep: 1 | 0.5;
}
export interface ContestRecord extends RecordHead {
  type: 'contest';
  contest: string;
  kind: 'fantasy' | 'scores';
  match?: string;
  prizes?: number;
}
export interface EntryItem {
  entry: string;
  user: string;
  contests: string[];
  players?: string[];
  captain?: string;
  viceCaptain?: string;
}
/** Exactly one of `match` and `contest`. */
export interface EntriesRecord extends RecordHead {
  type: 'entries';
  match?: string;
  contest?: string;
  entries: EntryItem[];
}
export interface PointsRecord extends RecordHead {
  type: 'points';
  match: string;
  player: string;
  /** The player's total. */
  points: number;
  label?: string;
}
export interface ScoreRecord extends RecordHead {
  type: 'score';
  contest: string;
  entry: string;
  /** The entry's total, a safe integer. */
  score: number;
}
/** Exactly one of `match` and `contest`. */
export interface FinalRecord extends RecordHead {
  type: 'final';
  match?: string;
  contest?: string;
}
export type ContestEvent =
  | MatchRecord
  | ContestRecord
  | EntriesRecord
  | PointsRecord
  | ScoreRecord
  | FinalRecord;

export interface GraphCommand extends RecordHead {
  kind: 'follow' | 'unfollow' | 'block' | 'unblock' | 'affinity' | 'interaction';
  from: string;
  to: string;
  /** 0 to 1: with `follow` (optional) and `affinity` (required). */
  affinity?: number;
  /** 0 to 1: with `interaction`. */
  weight?: number;
}
/** Written by the graph worker only: one per list that a command changes. */
export interface GraphChange extends RecordHead {
  /** Whose list: `followers` of `user` or `following` of `user`. */
  list: 'followers' | 'following';
  kind: 'put' | 'remove' | 'affinity';
  user: string;
  other: string;
  /** Stored (forward-decayed) affinity, when kind is `put` or `affinity`. */
  affinity?: number;
  /** Id of the command. */
  command: string;
}
export interface ProfileRecord extends RecordHead {
  user: string;
  name: string;
  avatar?: string;
}

export const ingestTopics = ['contest-events', 'graph-commands', 'profiles'] as const;
export type IngestTopic = (typeof ingestTopics)[number];
export type AnyRecord = ContestEvent | GraphCommand | ProfileRecord;
