import type { CodeName } from '../../proto/codes.ts';

/** A record that is refused: at the way in (`line`), or by the worker (found in dead-letters, `later`). */
export interface BadRecord {
  name: string;
  topic: 'contest-events' | 'graph-commands' | 'profiles';
  record: unknown;
  code: CodeName;
  says: RegExp;
}

const at = 1_700_000_000_000;
const event = (name: string, record: unknown, code: CodeName, says: RegExp): BadRecord => ({
  name,
  topic: 'contest-events',
  record,
  code,
  says,
});
const points = { type: 'points', id: 'p1', at, match: 'm', player: 'a', points: 1 };
const item = { entry: 'e', user: 'u', contests: ['c'], players: [], captain: 'a', viceCaptain: 'b' };

/** Refused in the answer of `POST /v1/ingest/<topic>`, line by line. */
export const badLines: BadRecord[] = [
  event('no JSON', '{"type":"points"', 'bad_json', /JSON/),
  event('a list', [1], 'bad_json', /object/),
  event('a number', 7, 'bad_json', /object/),
  event('no type', { id: 'x', at }, 'bad_field', /type/),
  event('unknown type', { ...points, type: 'goal' }, 'unknown_type', /goal/),
  event('no id', { ...points, id: undefined }, 'bad_field', /id/),
  event('id too long', { ...points, id: 'x'.repeat(37) }, 'bad_field', /id/),
  event('id with a slash', { ...points, id: 'a/b' }, 'bad_field', /a\/b/),
  event('at a string', { ...points, at: '2019' }, 'bad_field', /at/),
  event('at in the future', { ...points, at: Date.now() + 3_600_000 }, 'future_at', /at/),
  event('points not a number', { ...points, points: 'many' }, 'bad_field', /points/),
  event('too many points', { ...points, points: 10_001 }, 'off_step', /10,?001/),
  event('no player', { ...points, player: undefined }, 'bad_field', /player/),
  event(
    'pointStep 0.3',
    { type: 'match', id: 'x', at, match: 'm', players: ['a'], startsAt: at, pointStep: 0.3 },
    'bad_field',
    /pointStep/,
  ),
  event('kind of no kind', { type: 'contest', id: 'x', at, contest: 'c', kind: 'poll' }, 'bad_field', /kind/),
  event(
    'match and contest',
    { type: 'entries', id: 'x', at, match: 'm', contest: 'c', entries: [item] },
    'bad_field',
    /match|contest/,
  ),
  event(
    'entries not a list',
    { type: 'entries', id: 'x', at, match: 'm', entries: 'all' },
    'bad_field',
    /entries/,
  ),
  event(
    '1,001 entries',
    { type: 'entries', id: 'x', at, match: 'm', entries: Array.from({ length: 1_001 }, () => item) },
    'bad_field',
    /entries/,
  ),
  event(
    'score a fraction',
    { type: 'score', id: 'x', at, contest: 'c', entry: 'e', score: 0.5 },
    'bad_field',
    /score/,
  ),
  event('too long', { ...points, label: 'x'.repeat(1_100_000) }, 'record_too_large', /bytes/),
  {
    name: 'unknown kind',
    topic: 'graph-commands',
    record: { kind: 'poke', id: 'x', at, from: 'a', to: 'b' },
    code: 'bad_field',
    says: /kind/,
  },
  {
    name: 'affinity of 2',
    topic: 'graph-commands',
    record: { kind: 'affinity', id: 'x', at, from: 'a', to: 'b', affinity: 2 },
    code: 'bad_field',
    says: /affinity/,
  },
  { name: 'no name', topic: 'profiles', record: { id: 'x', at, user: 'u' }, code: 'bad_field', says: /name/ },
];

const players = Array.from({ length: 12 }, (_, n) => `p${n}`);
const team = { players: players.slice(0, 11), captain: 'p0', viceCaptain: 'p1' };
const good = { entry: 'e1', user: 'u1', contests: ['bad-c'], ...team };
const entries = (id: string, change: object, stamp = at + 10) => ({
  type: 'entries',
  id,
  at: stamp,
  match: 'bad-m',
  entries: [{ ...good, entry: id, ...change }],
});

/** Sent first: what the refused ones below lean on. */
export const foundation: unknown[] = [
  { type: 'match', id: 'f1', at, match: 'bad-m', players, startsAt: at + 1_000, pointStep: 1 },
  { type: 'match', id: 'f2', at, match: 'bad-m2', players, startsAt: at + 1_000, pointStep: 1 },
  { type: 'contest', id: 'f3', at, contest: 'bad-c', kind: 'fantasy', match: 'bad-m' },
  { type: 'contest', id: 'f5', at, contest: 'bad-s', kind: 'scores' },
  { type: 'contest', id: 'f6', at, contest: 'bad-over', kind: 'scores' },
  { type: 'final', id: 'f7', at, contest: 'bad-over' },
  { type: 'entries', id: 'f8', at, match: 'bad-m', entries: [good] },
];

/** Well-formed, but not in this state: the worker refuses them, and they stand in dead-letters. */
export const badInState: BadRecord[] = [
  event('points of no match', { ...points, id: 'd1', match: 'nowhere' }, 'no_such_match', /nowhere/),
  event(
    'contest of no match',
    { type: 'contest', id: 'd2', at, contest: 'cc', kind: 'fantasy', match: 'nowhere' },
    'no_such_match',
    /nowhere/,
  ),
  event(
    'score in no contest',
    { type: 'score', id: 'd3', at, contest: 'no-c', entry: 'e', score: 1 },
    'no_such_contest',
    /no-c/,
  ),
  event(
    'points of a stranger',
    { ...points, id: 'd4', match: 'bad-m', player: 'pele' },
    'no_such_player',
    /pele/,
  ),
  event(
    'score of no entry',
    { type: 'score', id: 'd5', at, contest: 'bad-s', entry: 'ghost', score: 1 },
    'no_such_entry',
    /ghost/,
  ),
  event(
    'score in a fantasy contest',
    { type: 'score', id: 'd6', at, contest: 'bad-c', entry: 'e1', score: 1 },
    'wrong_kind',
    /bad-c/,
  ),
  event('ten players', entries('d7', { players: players.slice(0, 10) }), 'bad_team', /10|eleven/),
  event('captain from outside', entries('d8', { captain: 'p11' }), 'bad_team', /p11|captain/),
  event(
    'one player twice',
    entries('d9', { players: ['p0', 'p1', 'p1', ...players.slice(3, 11)] }),
    'bad_team',
    /p1 twice/,
  ),
  event('contest that is not', entries('d10', { contests: ['no-c'] }), 'no_such_contest', /no-c/),
  event(
    'changed after the start',
    { ...entries('d11', {}, at + 2_000), entries: [{ ...good, captain: 'p2' }] },
    'match_started',
    /e1/,
  ),
  event(
    'another point step',
    { type: 'match', id: 'd12', at, match: 'bad-m', players, startsAt: at, pointStep: 0.5 },
    'fixed_field',
    /pointStep/,
  ),
  event(
    'half a point',
    { ...points, id: 'd13', match: 'bad-m', player: 'p0', points: 0.5 },
    'off_step',
    /0\.5/,
  ),
  event(
    'after the final',
    { type: 'score', id: 'd15', at, contest: 'bad-over', entry: 'e', score: 1 },
    'is_final',
    /final/,
  ),
  event(
    'somebody else’s entry',
    { ...entries('d16', {}), entries: [{ ...good, user: 'thief' }] },
    'wrong_user_of_entry',
    /u1|thief/,
  ),
  event(
    '207 players',
    {
      type: 'match',
      id: 'd17',
      at,
      match: 'bad-m2',
      players: Array.from({ length: 195 }, (_, n) => `q${n}`),
      startsAt: at,
      pointStep: 1,
    },
    'contest_full',
    /200/,
  ),
  event(
    'contest moved to another match',
    { type: 'contest', id: 'd18', at, contest: 'bad-c', kind: 'fantasy', match: 'bad-m2' },
    'fixed_field',
    /match/,
  ),
  event('contest of another match', { ...entries('d19', {}), match: 'bad-m2' }, 'wrong_match', /bad-c/),
  event('a scores contest for a team', entries('d20', { contests: ['bad-s'] }), 'wrong_kind', /bad-s/),
  event(
    'the final of a fantasy contest alone',
    { type: 'final', id: 'd21', at, contest: 'bad-c' },
    'wrong_kind',
    /bad-c/,
  ),
];
