/**
 * The files that come with the demo: two finals, the points table, a follow graph. Their origin is in
 * data/NOTICE.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type MatchFile, parseMatchFile } from './match-file.ts';
import { parseScoringTable, type ScoringTable } from './scoring.ts';

const bundledMatches = {
  'final-2019': 'matches/ipl-2019-final-1181768.json',
  'final-2021': 'matches/ipl-2021-final-1254117.json',
} as const;
export type BundledMatch = keyof typeof bundledMatches;
/** For show. */
export const bundledMatchTitles: Record<BundledMatch, string> = {
  'final-2019': 'IPL final 2019',
  'final-2021': 'IPL final 2021',
};

/** Compiled files live in `dist/demo/`, the data stays where it is. */
const data = new URL('../../demo/data/', import.meta.url);

export function readBundledMatch(name: BundledMatch): MatchFile {
  return parseMatchFile(readFileSync(new URL(bundledMatches[name], data), 'utf8'));
}

export function readScoringTable(): ScoringTable {
  return parseScoringTable(readFileSync(new URL('scoring-t20.json', data), 'utf8'));
}

/** [follower, followed] of a real graph of 7,115 users; ids are numbers as text. */
export function readFollows(): [from: string, to: string][] {
  const text = gunzipSync(readFileSync(new URL('follows/wiki-vote.tsv.gz', data))).toString('utf8');
  const follows: [string, string][] = [];
  for (const line of text.split('\n')) {
    const [from, to] = line.split('\t');
    if (from !== undefined && to !== undefined) follows.push([from, to]);
  }
  return follows;
}
