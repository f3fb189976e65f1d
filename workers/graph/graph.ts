/**
 * The social graph: what is stored per directed pair of users. The rules (which command wins, what a block
 * does) are pure code in pair-rules.ts; a Graph only keeps.
 *
 * [GRAPH-1] `read` answers for each pair asked for, in order, both directions as last written; a direction
 *   never written is there with nothing set.
 * [GRAPH-2] `write` replaces the state of each directed pair whole; of one named twice in a call the last
 *   stands; to repeat it is harmless.
 * [GRAPH-3] `list` holds exactly the follows that stand, in byte order of the other's id, those after `after`
 *   only, at most `limit`.
 * [GRAPH-4] What a resolved `write` wrote is there after the process was killed.
 * [GRAPH-5] A state in which neither follow nor block stands is kept at least until its newest stamp is 24 h
 *   old, and forgotten later; one in which either stands is kept for ever.
 * [GRAPH-6] A call whose `endsAt` has passed is rejected with a retryable ServiceError and writes nothing.
 */
export interface Graph {
  /**
   * Both directions of each pair, in order: [from->to, to->from]. Given up at `endsAt` (of
   * performance.now()); by default after a time of the implementation's own.
   */
  read(
    pairs: readonly (readonly [from: string, to: string])[],
    endsAt?: number,
  ): Promise<[PairState, PairState][]>;
  /** Upserts; harmless to repeat. Durable when resolved. Given up, and no part done, after `endsAt`. */
  write(states: readonly PairState[], endsAt?: number): Promise<void>;
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
