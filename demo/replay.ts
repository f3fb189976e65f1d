/**
 * A match file as records of `contest-events`: the match, everyone's starting points, each delivery's changed
 * totals, the end. Records carry the time of the replay, not of the match.
 *
 * Every delivery gives at least one record (where it changed nobody's points, the striker's total again), so
 * each delivery has a version of its own. Ids tell the delivery and sort in its order.
 */
import type { FinalRecord, MatchRecord, PointsRecord } from '../proto/records.ts';
import type { MatchFile } from './match-file.ts';
import { createScorer, pointStepOf, type ScoringTable } from './scoring.ts';

export interface Replay {
  /** Player ids, in the order of the match record. */
  readonly players: string[];
  readonly pointStep: 1 | 0.5;
  readonly deliveries: number;
  /** Label of delivery k, counted from 0: `1.14.3` is innings 1, over 14 (the fifteenth), ball 3. */
  label(k: number): string;
  matchRecord(at: number, startsAt: number): MatchRecord;
  /** Everyone's points before the first ball. */
  opening(at: number): PointsRecord[];
  /** All records of delivery k, in any order of calls. */
  delivery(k: number, at: number): PointsRecord[];
  final(at: number): FinalRecord;
}

export const openingLabel = 'start';

/** `match`: the id under which the file is replayed. */
export function createReplay(file: MatchFile, table: ScoringTable, match: string): Replay {
  const players = file.players.map((player) => player.id);
  const scorer = createScorer(file.players, table);
  const opening = players.map((player) => [player, scorer.pointsOf(player)] as const);
  const changes = file.deliveries.map((delivery) => {
    const changed = scorer.apply(delivery);
    return changed.length > 0
      ? changed
      : [[delivery.batter, scorer.pointsOf(delivery.batter)] as [string, number]];
  });
  const pointStep = pointStepOf(table);

  function deliveryAt(k: number): MatchFile['deliveries'][number] {
    const found = file.deliveries[k];
    if (found === undefined)
      throw new RangeError(`the match has deliveries 0 to ${changes.length - 1}, not ${k}`);
    return found;
  }
  return {
    players,
    pointStep,
    deliveries: changes.length,
    label: (k) => deliveryAt(k).label,
    matchRecord: (at, startsAt) => ({
      type: 'match',
      id: `match-${at}`,
      at,
      match,
      players,
      startsAt,
      pointStep,
    }),
    opening: (at) =>
      opening.map(([player, points]) => ({
        type: 'points',
        id: `0-00-00-${player}`,
        at,
        match,
        player,
        points,
        label: openingLabel,
      })),
    delivery: (k, at) => {
      const { innings, over, ball, label } = deliveryAt(k);
      const head = `${innings}-${String(over).padStart(2, '0')}-${String(ball).padStart(2, '0')}`;
      return (changes[k] ?? []).map(([player, points]) => ({
        type: 'points',
        id: `${head}-${player}`,
        at,
        match,
        player,
        points,
        label,
      }));
    },
    final: (at) => ({ type: 'final', id: 'final', at, match }),
  };
}
