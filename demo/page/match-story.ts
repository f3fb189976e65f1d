/** The match up to a ball, out of the match's file: innings, who is in, the over, the last balls. */
import type { PageBall, PageMatch } from './page-match.ts';

export interface InningsScore {
  /** Index into the match's teams. */
  team: number;
  runs: number;
  wickets: number;
  legalBalls: number;
}
export interface BatterLine {
  name: string;
  runs: number;
  balls: number;
  onStrike: boolean;
  /** How he was out by this ball; null: he is in. */
  out: string | null;
}
export interface BowlerLine {
  name: string;
  legalBalls: number;
  runs: number;
  wickets: number;
}
/** What a ball was, short. */
export interface BallMark {
  label: string;
  /** `•`, `1`, `4`, `W`, `2wd` */
  mark: string;
  kind: 'dot' | 'runs' | 'four' | 'six' | 'wicket' | 'extra';
}
export interface BallStory extends BallMark {
  /** `14.3`: over and legal ball, as commentators say it. */
  at: string;
  /** `Bumrah to Watson`; empty where `what` names both. */
  who: string;
  what: string;
}
export interface MatchStory {
  /** Of the last ball bowled, from 0; -1: none yet. */
  index: number;
  innings: InningsScore[];
  /** Runs that the chasing side needs in all; null: nobody chases yet. */
  target: number | null;
  batters: BatterLine[];
  bowler: BowlerLine | null;
  over: BallMark[];
  /** Newest first. */
  last: BallStory[];
}

export const ballsPerInnings = 120;
const lastBallsShown = 6;

/** -1 where no ball has that label (before the first, or a correction's own). */
export function ballIndexOf(match: PageMatch, label: string | null): number {
  return label === null ? -1 : match.balls.findIndex((ball) => ball.label === label);
}

export function storyAt(match: PageMatch, index: number): MatchStory {
  const bowled = match.balls.slice(0, index + 1);
  const ball = bowled.at(-1);
  const innings = inningsOf(bowled);
  const first = innings[0];
  return {
    index,
    innings,
    target: first !== undefined && innings.length === 2 ? first.runs + 1 : null,
    batters:
      ball === undefined ? [] : [ball.batter, ball.nonStriker].map((p) => batterLine(match, bowled, p)),
    bowler: ball === undefined ? null : bowlerLine(match, bowled, ball),
    over: bowled.filter((one) => one.innings === ball?.innings && one.over === ball.over).map(markOf),
    last: lastBalls(match, bowled),
  };
}

/** Who won, of a match that was played to the end of its file. */
export function resultOf(match: PageMatch): string {
  const [first, second] = inningsOf(match.balls);
  if (first === undefined || second === undefined) return 'No result';
  const nameOf = (team: number): string => match.teams[team]?.name ?? '';
  if (second.runs > first.runs) return `${nameOf(second.team)} won by ${10 - second.wickets} wickets`;
  if (second.runs === first.runs) return 'The match is tied';
  const margin = first.runs - second.runs;
  return `${nameOf(first.team)} won by ${margin} ${margin === 1 ? 'run' : 'runs'}`;
}

/** `18.4` */
export function oversText(legalBalls: number): string {
  return `${Math.floor(legalBalls / 6)}.${legalBalls % 6}`;
}

function inningsOf(balls: readonly PageBall[]): InningsScore[] {
  const found: InningsScore[] = [];
  for (const ball of balls) {
    while (found.length < ball.innings) {
      found.push({ team: ball.batting, runs: 0, wickets: 0, legalBalls: 0 });
    }
    const score = found[ball.innings - 1] as InningsScore;
    score.runs += ball.runs;
    score.wickets += ball.out.filter(({ wicket }) => wicket).length;
    if (isLegal(ball)) score.legalBalls += 1;
  }
  return found;
}

function batterLine(match: PageMatch, bowled: readonly PageBall[], player: number): BatterLine {
  const ball = bowled.at(-1) as PageBall;
  const faced = bowled.filter((one) => one.innings === ball.innings && one.batter === player);
  return {
    name: match.players[player]?.name ?? '',
    runs: faced.reduce((sum, one) => sum + one.batterRuns, 0),
    balls: faced.filter((one) => one.extra !== 'wide').length,
    onStrike: player === ball.batter,
    out: ball.out.find((one) => one.player === player)?.how ?? null,
  };
}

function bowlerLine(match: PageMatch, bowled: readonly PageBall[], ball: PageBall): BowlerLine {
  const his = bowled.filter((one) => one.innings === ball.innings && one.bowler === ball.bowler);
  const wickets = his.flatMap((one) => one.out).filter(({ how, wicket }) => wicket && !/^run out/.test(how));
  return {
    name: match.players[ball.bowler]?.name ?? '',
    legalBalls: his.filter(isLegal).length,
    runs: his.reduce((sum, one) => sum + conceded(one), 0),
    wickets: wickets.length,
  };
}

function conceded(ball: PageBall): number {
  const isHis = ball.extra === '' || ball.extra === 'wide' || ball.extra === 'no-ball';
  return isHis ? ball.runs : ball.batterRuns;
}

function lastBalls(match: PageMatch, bowled: readonly PageBall[]): BallStory[] {
  const from = Math.max(0, bowled.length - lastBallsShown);
  return bowled
    .slice(from)
    .map((ball, place) => {
      const over = bowled
        .slice(0, from + place)
        .filter((one) => one.innings === ball.innings && one.over === ball.over);
      const legal = over.filter(isLegal).length + 1;
      return {
        ...markOf(ball),
        at: `${ball.over}.${legal}`,
        who:
          ball.out.length > 0 ? '' : `${shortName(match, ball.bowler)} to ${shortName(match, ball.batter)}`,
        what: whatOf(match, ball),
      };
    })
    .reverse();
}

function whatOf(match: PageMatch, ball: PageBall): string {
  const [out] = ball.out;
  if (out !== undefined) return `${shortName(match, out.player)} ${out.how}`;
  if (ball.extra !== '') {
    const name = ball.extra === 'penalty' ? 'penalty runs' : ball.extra;
    return ball.runs > 1 ? `${ball.runs} runs, ${name}` : name;
  }
  if (ball.boundary) return ball.batterRuns === 6 ? 'six' : 'four';
  if (ball.runs === 0) return 'no run';
  return ball.runs === 1 ? '1 run' : `${ball.runs} runs`;
}

function markOf(ball: PageBall): BallMark {
  const { label } = ball;
  if (ball.out.some(({ wicket }) => wicket)) return { label, mark: 'W', kind: 'wicket' };
  if (ball.extra !== '') return { label, mark: `${ball.runs}${extraMarks[ball.extra]}`, kind: 'extra' };
  if (ball.boundary) return { label, mark: String(ball.runs), kind: ball.batterRuns === 6 ? 'six' : 'four' };
  if (ball.runs === 0) return { label, mark: '•', kind: 'dot' };
  return { label, mark: String(ball.runs), kind: 'runs' };
}

const extraMarks = { wide: 'wd', 'no-ball': 'nb', bye: 'b', 'leg bye': 'lb', penalty: 'p' } as const;

function isLegal(ball: PageBall): boolean {
  return ball.extra !== 'wide' && ball.extra !== 'no-ball';
}

function shortName(match: PageMatch, player: number): string {
  return match.players[player]?.short ?? '';
}
