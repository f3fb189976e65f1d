/** A client that is connected to a played edge, and short ways to say frames. */

import { createManualClock } from '../../channels/clock.manual.ts';
import { connect } from '../../client/client.ts';
import type { ContestRoom } from '../../client/contest-room.ts';
import type { MessageLog } from '../../client/message-log.ts';
import type { RankcastError } from '../../client/rankcast-error.ts';
import type { BoardFrame, PlayersFrame, TopRow } from '../../proto/frames.ts';
import { createFakeEdge, type FakeEdge } from './fake-edge.ts';
import { settle } from './settle.ts';

export async function connectedClient() {
  const clock = createManualClock();
  const edge = createFakeEdge(clock);
  const client = connect({
    url: 'ws://localhost:1',
    token: 'fixed',
    WebSocket: edge.WebSocket,
    clock,
    random: () => 0.5,
  });
  const errors: RankcastError[] = [];
  client.on('error', (error) => errors.push(error));
  await settle();
  edge.welcome();
  return { clock, edge, client, errors };
}

/** Answers the newest `subscribe`. */
export function admit(
  edge: FakeEdge,
  no: number,
  given: { position?: number; epoch?: string; recovered?: boolean } = {},
) {
  const request = edge.socket.heard('subscribe').at(-1);
  if (request === undefined) throw new Error('no subscribe');
  const { id, channel } = request;
  const kind = channel.startsWith('feed') || channel.startsWith('user') ? 'log' : 'state';
  const { position = 0, epoch = 'e1', recovered = true } = given;
  edge.socket.say({ t: 'subscribed', id, no, channel, kind, epoch, position, recovered });
}
export async function reconnect({
  clock,
  edge,
  client,
}: Awaited<ReturnType<typeof connectedClient>>): Promise<void> {
  edge.socket.end(1006);
  await clock.advanceSettled(client.status.retryInMs ?? -1);
  edge.welcome();
}
export function board(no: number, version: number, given: Partial<BoardFrame> = {}): BoardFrame {
  const top: TopRow[] = [[1, 'e9', 120, 'u9']];
  const fixed = { scoreStep: 0.5, prizes: 0, final: false, stale: false, top };
  return { t: 'board', no, version, at: 7, total: 4, ...fixed, ...given };
}
export function players(
  base: number,
  version: number,
  list: [string, number][],
  label?: string,
): PlayersFrame {
  const frame: PlayersFrame = {
    t: 'players',
    no: 2,
    base,
    version,
    at: 7,
    pointStep: 1,
    final: false,
    players: list,
  };
  return label === undefined ? frame : { ...frame, label };
}
export function message(no: number, position: number) {
  return {
    t: 'message',
    no,
    position,
    at: position,
    id: `m${position}`,
    data: { type: 'follower', user: 'x' },
  } as const;
}
/** Versions of what a room emits, in order; ranks with their entries. */
export function watch(room: ContestRoom): string[] {
  const seen: string[] = [];
  room.on('board', ({ version }) => {
    const own = room.entries.map(({ entry, score, rank }) => `${entry}:${score}#${rank}`).join(' ');
    seen.push(`board ${version} ranks ${room.ranksVersion}${room.held ? ' held' : ''} ${own}`.trim());
  });
  room.on('entries', (entries) => seen.push(`entries ${entries.map(({ entry }) => entry).join(' ')}`.trim()));
  return seen;
}
export function watchLog(log: MessageLog): string[] {
  const seen: string[] = [];
  log.on('message', ({ position }) => seen.push(`${position}`));
  log.on('gap', ({ code, from, to }) => seen.push(`gap ${code} ${from}-${to}`));
  return seen;
}
