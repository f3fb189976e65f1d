import { Packr } from 'msgpackr';
import type { Forgotten, MatchState, RankerState, ScoresContest } from './ranker-state.ts';
import type { Stamp } from './stamps.ts';

/**
 * The small part of a checkpoint: where in the log it stands, and what changes in place. Goes with all
 * segments.
 */
export interface CheckpointHead {
  format: 1;
  version: number;
  /**
   * Of the newest record applied; -1 and '' before any. On restore that record is read again and compared.
   */
  lastOffset: number;
  lastId: string;
  /** By number; null: forgotten. */
  spaces: (MatchHead | ScoresHead | null)[];
  /** The oldest first. */
  forgotten: Forgotten[];
}
interface MatchHead {
  startsAt: number;
  startsAtStamp: Stamp;
  at: number;
  final: Stamp | null;
  label: string | null;
  labelStamp: Stamp;
  totals: number[];
  /** Stamps of totals; null: still 0. */
  totalStamps: (Stamp | null)[];
}
interface ScoresHead {
  at: number;
  final: Stamp | null;
}

const packr = new Packr({ useRecords: false });

export function encodeHead(state: RankerState): Uint8Array {
  const head: CheckpointHead = {
    format: 1,
    version: state.version,
    lastOffset: state.lastOffset,
    lastId: state.lastId,
    spaces: state.spaces.map((space) => (space === null ? null : spaceHead(space))),
    forgotten: [...state.forgotten],
  };
  return packr.pack(head);
}

export function readHead(head: Uint8Array): CheckpointHead {
  const read = packr.unpack(head) as CheckpointHead;
  if (read.format !== 1)
    throw new Error(`a checkpoint of format ${String(read.format)}; this ranker reads format 1`);
  return read;
}

function spaceHead(space: MatchState | ScoresContest): MatchHead | ScoresHead {
  if ('kind' in space) return { at: space.at, final: space.final };
  return {
    startsAt: space.startsAt,
    startsAtStamp: space.startsAtStamp,
    at: space.at,
    final: space.final,
    label: space.label,
    labelStamp: space.labelStamp,
    totals: space.totals,
    totalStamps: space.totalStamps.map((stamp) => (stamp.id === '' ? null : stamp)),
  };
}

/**
 * Puts back what the head says of a space. Its totals are applied to the scores of the entries it has by
 * then.
 */
export function restoreSpace(state: RankerState, no: number, head: MatchHead | ScoresHead): void {
  const space = state.spaces[no];
  if (space === null || space === undefined)
    throw new Error(`the checkpoint's head has a space ${no}, its segments do not`);
  space.at = head.at;
  space.final = head.final;
  if ('kind' in space || !('totals' in head)) return;
  space.startsAt = head.startsAt;
  space.startsAtStamp = head.startsAtStamp;
  space.label = head.label;
  space.labelStamp = head.labelStamp;
  for (let player = 0; player < head.totals.length; player += 1) {
    const stamp = head.totalStamps[player];
    if (stamp !== null && stamp !== undefined) space.totalStamps[player] = stamp;
    const change = head.totals[player]! - space.totals[player]!;
    if (change === 0) continue;
    space.totals[player] = head.totals[player]!;
    space.points += 1;
    space.board.addPoints(player, change, space.totals);
  }
}
