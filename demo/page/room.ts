/** The live room: rooms and feeds of the SDK, and what the page derives from them. */
import { type Client, connect, type FeedData } from '../../client/client.ts';
import type { ContestRoom } from '../../client/contest-room.ts';
import type { MatchRoom } from '../../client/match-room.ts';
import type { FollowingNotice } from '../../proto/feed-messages.ts';
import { Absence } from './absence.ts';
import { type BallBook, createBallBook } from './ball-book.ts';
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
  readonly balls: BallBook;
  /** From a ball's record to this screen, in ms: the last ones. */
  readonly latencies: number[];
  /** null: connected. */
  awaySince: number | null;
  /** Own entries have been told. */
  told: boolean;
}

const latenciesKept = 15;

export function joinRoom(
  me: DemoClient,
  line: Line,
  ids: DemoRoom,
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
  const historyKey = `rankcast.history.${ids.contest}.${me.user}`;
  const room: Room = {
    client,
    contest: client.contest(ids.contest),
    match: client.match(ids.match),
    history: createRankHistory(sessionStorage.getItem(historyKey)),
    absence: new Absence(),
    balls: createBallBook(),
    latencies: [],
    awaySince: null,
    told: false,
  };
  addEventListener('pagehide', () => sessionStorage.setItem(historyKey, room.history.toJson()));
  watchLine(room, line, changed);
  watchPlay(room, page, me, changed);
  watchFeeds(room, me, follows, changed);
  return room;
}

/** null: none yet. */
export function typicalLatencyMs({ latencies }: Room): number | null {
  const sorted = [...latencies].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function watchLine(room: Room, line: Line, changed: () => void): void {
  const { client, contest, match, absence } = room;
  client.on('status', ({ state }) => {
    if (state === 'connected') {
      room.awaySince = null;
      absence.connect(Date.now());
    } else if (contest.version >= 0 && state !== 'closed') {
      room.awaySince ??= Date.now();
      absence.leave(Date.now(), contest);
    }
    changed();
  });
  client.on('error', (error) => {
    if (!line.down && error.code !== 'unreachable') notifyError(error);
  });
  contest.on('status', changed);
  match.on('status', changed);
}

function watchPlay(room: Room, page: PageMatch, me: DemoClient, changed: () => void): void {
  const { client, contest, match, balls, latencies } = room;
  const told = (): void => {
    noteRanks(room);
    changed();
  };
  let joined = false;
  client.on('status', () => {
    joined = false;
  });
  match.on('players', ({ label, version }) => {
    balls.write(version, ballIndexOf(page, label));
    told();
  });
  contest.on('board', ({ at }) => {
    // one that comes on joining is as old as the last ball
    if (joined) latencies.push(Math.max(0, Date.now() + me.skewMs - at));
    if (latencies.length > latenciesKept) latencies.shift();
    joined = true;
    told();
  });
  contest.on('entries', () => {
    room.told = true;
    told();
  });
  contest.on('ranks', told);
}

/** Contest and match tell of a ball in frames of their own: a rank belongs to the ball of its version. */
function noteRanks({ contest, history, absence, balls }: Room): void {
  if (contest.held) return;
  absence.catchUp(contest);
  const ball = balls.at(contest.ranksVersion);
  if (ball === null) return;
  for (const { entry, rank } of contest.entries) if (rank !== null) history.note(entry, ball, rank);
}

/** Feeds: my new followers, and what my other devices do. */
function watchFeeds({ client, absence }: Room, me: DemoClient, follows: Follows, changed: () => void): void {
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
