/** A match as the page is given it: everything that is not live. Made by demo/page-data.ts at build time. */

export interface PageMatch {
  title: string;
  /** `YYYY-MM-DD` */
  date: string;
  teams: { name: string; short: string }[];
  players: PagePlayer[];
  balls: PageBall[];
}
export interface PagePlayer {
  id: string;
  name: string;
  /** Without initials, where that still tells one from another. */
  short: string;
  /** Index into `teams`. */
  team: number;
}
/** Players are indexes into `players`. */
export interface PageBall {
  /** As in the records: `innings.over.ball`. */
  label: string;
  innings: number;
  over: number;
  /** Index into `teams`. */
  batting: number;
  batter: number;
  nonStriker: number;
  bowler: number;
  /** All of them. */
  runs: number;
  /** Off the bat. */
  batterRuns: number;
  /** Four or six that crossed the rope. */
  boundary: boolean;
  extra: '' | 'wide' | 'no-ball' | 'bye' | 'leg bye' | 'penalty';
  /** Those out (or retired), and how a scorecard says it. */
  out: { player: number; how: string; wicket: boolean }[];
}
