/**
 * The social graph: what is stored per directed pair of users. The rules (which command wins, what a block does) are
 * pure code in pair-rules.ts; a Graph only keeps.
 */
export interface Graph {
  /** Both directions of each pair, in order: [from->to, to->from]. */
  read(pairs: readonly (readonly [from: string, to: string])[]): Promise<[PairState, PairState][]>;
  /** Upserts; harmless to repeat. Resolves when durable. */
  write(states: readonly PairState[]): Promise<void>;
  /** Followers or following of a user in id order after `after`, for repair. */
  list(
    user: string,
    list: 'followers' | 'following',
    after: string | null,
    limit: number,
  ): Promise<GraphEdge[]>;
  close(): Promise<void>;
}
export interface GraphEdge {
  other: string;
  affinity: number;
}
/** Everything known of from -> to. Stamps order by (`at`, `id`); `null`: never set. */
export interface PairState {
  from: string;
  to: string;
  following: boolean;
  /** Stored (forward-decayed) affinity; 0 where never set. */
  affinity: number;
  /** When the follow that stands began, ms; 0 where none stands. */
  since: number;
  followStamp: Stamp | null;
  affinityStamp: Stamp | null;
  blocking: boolean;
  blockStamp: Stamp | null;
}
export interface Stamp {
  at: number;
  id: string;
}
