/** A delivery as a line to read: label, who to whom, what came of it, the innings so far. */
import type { MatchFile } from './match-file.ts';

/** Deliveries must be asked for in order, from 0. */
export function createScoreline(file: MatchFile): (k: number) => string {
  const players = new Map(file.players.map((player) => [player.id, player]));
  let innings = 0;
  let runs = 0;
  let wickets = 0;
  return (k) => {
    const delivery = file.deliveries[k];
    if (delivery === undefined) throw new RangeError(`the match has no delivery ${k}`);
    if (delivery.innings !== innings) {
      innings = delivery.innings;
      runs = 0;
      wickets = 0;
    }
    runs += delivery.runs.total;
    const out = delivery.wickets.filter(({ kind }) => kind !== 'retired hurt' && kind !== 'retired not out');
    wickets += out.length;
    const batter = players.get(delivery.batter);
    const what = [
      `${delivery.runs.total}`,
      ...Object.entries(delivery.extras).flatMap(([kind, count]) => (count > 0 ? [kind] : [])),
      ...out.map(({ kind, out: player }) => `${players.get(player)?.name} ${kind}`),
    ].join(', ');
    const who = `${players.get(delivery.bowler)?.name} to ${batter?.name}: ${what}`;
    return `${delivery.label.padEnd(8)}${who.padEnd(58)} ${batter?.team} ${runs}/${wickets}`;
  };
}
