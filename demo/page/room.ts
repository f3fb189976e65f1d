/** The live room: rooms and feeds of the SDK, and what the page derives from them. */
import { type Client, connect, type FeedData } from '../../client/client.ts';
import type { ContestRoom } from '../../client/contest-room.ts';
import type { MatchRoom } from '../../client/match-room.ts';
import type { FollowingNotice } from '../../proto/feed-messages.ts';
import { Absence } from './absence.ts';
import type { DemoClient, DemoRoom } from './demo-client.ts';
import type { Follows } from './follows.ts';
import { reload } from './follows.ts';
import { userName } from './format.ts';
import type { Line } from './line.ts';
import { ballIndexOf } from './match-story.ts';
import { notify, notifyError } from './notices.ts';
import type { PageMatch } from './page-match.ts';
import { createRankHistory, type RankHistory } from './rank-history.ts';

export interface Room {
  readonly client: Client;
  readonly contest: ContestRoom;
  readonly match: MatchRoom;
  readonly history: RankHistory;
  readonly absence: Absence;
  /** Index of the last ball; -1: before the first. */
  readonly ball: number;
  /** Typical time from a ball's record to this screen, in ms; null: none yet. */
  readonly latencyMs: number | null;
  /** null: connected. */
  readonly awaySince: number | null;
  /** Own entries have been told. */
  readonly told: boolean;
}

const latenciesKept = 15;

/** A version of the match, and the index of its last ball. */
type BallBegun = [version: number, ball: number];
/** Contest and match are never further apart than a moment. */
const ballsBegunKept = 100;

/** null: the version is from before the page was there. */
function ballAt(begun: readonly BallBegun[], version: number): number | null {
  return begun.findLast(([from]) => from <= version)?.[1] ?? null;
}

export function joinRoom(
  me: DemoClient,
  line: Line,
  { match: matchId, contest: contestId }: DemoRoom,
  page: PageMatch,
  follows: Follows,
  changed: () => void,
): Room {
  const client = connect({
    url: location.origin,
    token: me.token,
    WebSocket: line.WebSocket,
    fetch: line.fetch,
    agent: 'rankcast-demo-page',
    // someone is looking: come back quickly
    reconnectBaseMs: 300,
    reconnectCapMs: 1_500,
  });
  const contest = client.contest(contestId);
  const match = client.match(matchId);
  const historyKey = `rankcast.history.${contestId}.${me.user}`;
  const history = createRankHistory(sessionStorage.getItem(historyKey));
  const absence = new Absence();
  const latencies: number[] = [];
  const ballsBegun: BallBegun[] = [];
  let ball = -1;
  let awaySince: number | null = null;
  let told = false;
  let joined = false;

  /** Contest and match tell of a ball in frames of their own: a rank belongs to the ball of its version. */
  function noteRanks(): void {
    if (contest.held) return;
    absence.catchUp(contest);
    const at = match.version < contest.ranksVersion ? null : ballAt(ballsBegun, contest.ranksVersion);
    if (at === null) return;
    for (const { entry, rank } of contest.entries) if (rank !== null) history.note(entry, at, rank);
  }
  client.on('status', ({ state }) => {
    if (state === 'connected') {
      awaySince = null;
      joined = false;
      absence.connect(Date.now());
    } else if (contest.version >= 0 && state !== 'closed') {
      awaySince ??= Date.now();
      absence.leave(Date.now(), contest);
    }
    changed();
  });
  client.on('error', (error) => {
    if (!line.down && error.code !== 'unreachable') notifyError(error);
  });
  match.on('players', ({ label, version }) => {
    ball = Math.max(ball, ballIndexOf(page, label));
    ballsBegun.push([version, ball]);
    if (ballsBegun.length > ballsBegunKept) ballsBegun.shift();
    noteRanks();
    changed();
  });
  contest.on('board', ({ at }) => {
    // one that comes on joining is as old as the last ball
    if (joined) latencies.push(Math.max(0, Date.now() + me.skewMs - at));
    if (latencies.length > latenciesKept) latencies.shift();
    joined = true;
    noteRanks();
    changed();
  });
  contest.on('entries', () => {
    told = true;
    noteRanks();
    changed();
  });
  contest.on('ranks', () => {
    noteRanks();
    changed();
  });
  contest.on('status', changed);
  match.on('status', changed);
  addEventListener('pagehide', () => sessionStorage.setItem(historyKey, history.toJson()));
  listen(client, me, follows, absence, changed);
  return {
    client,
    contest,
    match,
    history,
    absence,
    get ball() {
      return ball;
    },
    get latencyMs() {
      const sorted = [...latencies].sort((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)] ?? null;
    },
    get awaySince() {
      return awaySince;
    },
    get told() {
      return told;
    },
  };
}

/** Feeds: my new followers, and what my other devices do. */
function listen(
  client: Client,
  me: DemoClient,
  follows: Follows,
  absence: Absence,
  changed: () => void,
): void {
  const feed = client.feed();
  feed.on('message', ({ data, at }) => {
    const { type, user } = data as FeedData;
    if (user === undefined) return;
    if (type === 'unfollower') follows.unfollowed(user);
    if (type !== 'follower') return;
    const heard = at - me.skewMs;
    follows.followed(user, heard);
    if (!absence.follower(user, heard)) notify(`${userName(user)} follows you`, 'good');
    changed();
  });
  feed.on('gap', ({ message }) => {
    absence.gap(message);
    void reload(follows);
  });
  const notices = client.notices<Partial<FollowingNotice>>();
  notices.on('message', ({ data }) => {
    if (data.type === 'following') follows.noticed(data as FollowingNotice);
  });
  notices.on('gap', () => void reload(follows));
}
