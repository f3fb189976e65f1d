/** What the page must know of a match beyond what is live: names, and who did what on each ball. */
import type { Delivery, MatchFile, Wicket } from './match-file.ts';
import type { PageBall, PageMatch } from './page/page-match.ts';

export function pageMatchOf(file: MatchFile, title: string): PageMatch {
  const place = new Map(file.players.map((player, index) => [player.id, index]));
  const placeOf = (id: string): number => place.get(id) ?? -1;
  const teamOf = (id: string): number => file.teams.indexOf(file.players[placeOf(id)]?.team ?? '');
  return {
    title,
    date: file.date,
    teams: file.teams.map((name) => ({ name, short: initials(name) })),
    players: file.players.map(({ id, name }) => ({
      id,
      name,
      short: shortName(name, file),
      team: teamOf(id),
    })),
    balls: file.deliveries.map((delivery) => ballOf(delivery, file, placeOf, teamOf(delivery.batter))),
  };
}

function ballOf(
  delivery: Delivery,
  file: MatchFile,
  placeOf: (id: string) => number,
  batting: number,
): PageBall {
  const { label, innings, over, batter, nonStriker, bowler, runs, wickets } = delivery;
  const nameOf = (id: string): string => shortName(file.players[placeOf(id)]?.name ?? id, file);
  return {
    label,
    innings,
    over,
    batting,
    batter: placeOf(batter),
    nonStriker: placeOf(nonStriker),
    bowler: placeOf(bowler),
    runs: runs.total,
    batterRuns: runs.batter,
    boundary: (runs.batter === 4 || runs.batter === 6) && !runs.nonBoundary,
    extra: extraOf(delivery.extras),
    out: wickets.map((wicket) => ({
      player: placeOf(wicket.out),
      how: howOut(wicket, nameOf, bowler),
      wicket: wicket.kind !== 'retired hurt' && wicket.kind !== 'retired not out',
    })),
  };
}

function extraOf(extras: Delivery['extras']): PageBall['extra'] {
  if (extras.wides > 0) return 'wide';
  if (extras.noballs > 0) return 'no-ball';
  if (extras.byes > 0) return 'bye';
  if (extras.legbyes > 0) return 'leg bye';
  return extras.penalty > 0 ? 'penalty' : '';
}

/** As a scorecard says it: `c Pollard b Bumrah`. */
function howOut(wicket: Wicket, nameOf: (id: string) => string, bowler: string): string {
  const fielders = wicket.fielders.map(({ player }) => (player === null ? 'substitute' : nameOf(player)));
  const by = `b ${nameOf(bowler)}`;
  switch (wicket.kind) {
    case 'bowled':
      return by;
    case 'caught':
      return `c ${fielders[0] ?? 'substitute'} ${by}`;
    case 'caught and bowled':
      return `c & ${by}`;
    case 'lbw':
      return `lbw ${by}`;
    case 'stumped':
      return `st ${fielders[0] ?? 'substitute'} ${by}`;
    case 'hit wicket':
      return `hit wicket ${by}`;
    case 'run out':
      return fielders.length > 0 ? `run out (${fielders.join(', ')})` : 'run out';
    default:
      return wicket.kind;
  }
}

function initials(name: string): string {
  return name
    .split(' ')
    .map((word) => word.charAt(0))
    .join('');
}

/** `SN Thakur` is Thakur; the Pandyas keep their initials. */
function shortName(name: string, file: MatchFile): string {
  const short = withoutInitials(name);
  const same = file.players.filter((player) => withoutInitials(player.name) === short);
  return same.length > 1 ? name : short;
}

function withoutInitials(name: string): string {
  return name.replace(/^[A-Z]+ /, '');
}
