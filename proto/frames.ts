/**
 * The frames of the socket protocol: what a client and an edge say to each other.
 *
 * A frame is a plain object with a `t` (its name). The table below gives each its number and the order of its
 * fields; both encodings are derived from it (JSON: the object; msgpack: `[number, ...fields]`, trailing
 * absent fields left off, absent fields in the middle nil). PROTOCOL.md is the normative text; a test
 * compares them.
 */

/** Client -> edge. The first frame on a socket. */
export interface ConnectFrame {
  t: 'connect';
  token: string;
  /** Free text naming the client program and its version, for logs. */
  agent?: string;
}
export interface SubscribeFrame {
  t: 'subscribe';
  /** Chosen by the client, echoed in the answer. */
  id: number;
  channel: string;
  /** Epoch and last position (log) or version (state) the client has; both or neither. */
  epoch?: string;
  since?: number;
}
export interface UnsubscribeFrame {
  t: 'unsubscribe';
  id: number;
  channel: string;
}
/** A new token for the same user on a live socket. */
export interface RefreshFrame {
  t: 'refresh';
  id: number;
  token: string;
}
export interface PingFrame {
  t: 'ping';
  id: number;
}

export interface ConnectedFrame {
  t: 'connected';
  protocol: 1;
  session: string;
  user: string;
  /** When the token ends, ms since the epoch. */
  expiresAt: number;
  serverTime: number;
  /** A client that hears nothing for this long (ms) may take the socket for dead. */
  idleMs: number;
}
export interface SubscribedFrame {
  t: 'subscribed';
  id: number;
  /** The edge's short number for the channel on this socket; the frames below carry it. */
  no: number;
  channel: string;
  kind: 'log' | 'state';
  epoch: string;
  /** log: the channel's head now (missed messages up to it follow); state: the version the edge has. */
  position: number;
  /** false: `since` was given and cannot be honoured; what follows is not a continuation. */
  recovered: boolean;
}
export interface UnsubscribedFrame {
  t: 'unsubscribed';
  /** The id of the client's request; absent when the edge ended the subscription. */
  id?: number;
  channel: string;
  code?: number;
  message?: string;
}
export interface RefreshedFrame {
  t: 'refreshed';
  id: number;
  expiresAt: number;
}
export interface PongFrame {
  t: 'pong';
  id: number;
  serverTime: number;
}
/** Answers the request `id`, or tells of something that concerns the whole socket. */
export interface ErrorFrame {
  t: 'error';
  id?: number;
  code: number;
  message: string;
  channel?: string;
}
/**
 * What lies up to `position` is gone, or the epoch is another. log: the next message is at `position` + 1;
 * state: the client forgets the state it has, and it comes whole (own entries and ranks as well).
 */
export interface GapFrame {
  t: 'gap';
  no: number;
  epoch: string;
  position: number;
  code: number;
  message: string;
}
/** The edge is about to drain: reconnect at a random moment within the window. */
export interface MoveFrame {
  t: 'move';
  withinMs: number;
}
/** One message of a log channel. */
export interface MessageFrame {
  t: 'message';
  no: number;
  position: number;
  at: number;
  id: string;
  /** Any JSON value. */
  data: unknown;
}
/** [rank, entry, score, user] */
export type TopRow = [number, string, number, string];
/** The whole public state of a contest at `version`. Sent after this socket's `ranks` of the same version. */
export interface BoardFrame {
  t: 'board';
  no: number;
  version: number;
  /** Event time (ms) of the newest record the contest depends on; 0 before the first. */
  at: number;
  total: number;
  /** Points that one unit of score is worth (0.5 or 0.25 in fantasy contests, 1 in scores contests). */
  scoreStep: number;
  /** How many ranks win something; 0: not stated. */
  prizes: number;
  final: boolean;
  /** true: no ranker answers; this is the last state known. */
  stale: boolean;
  top: TopRow[];
}
/** Players' points of a match. base -1: whole; else the changes of (base, version]. */
export interface PlayersFrame {
  t: 'players';
  no: number;
  base: number;
  version: number;
  at: number;
  pointStep: number;
  final: boolean;
  /** [player, points] */
  players: [string, number][];
  /** Label of the newest `points` record covered, e.g. innings, over and ball. */
  label?: string;
}
/** [entry, players, captain, viceCaptain]; the last three are absent in `scores` contests. */
export type OwnEntry = [string, string[]?, string?, string?];
/** This user's own entries in a contest; `ranks` refers to them by index. Replaces the former list whole. */
export interface EntriesFrame {
  t: 'entries';
  no: number;
  version: number;
  entries: OwnEntry[];
}
/**
 * Own entries whose score or rank changed: index, score, rank, index, score, rank, ...
 * Exact at `version`; own entries not named have not changed since the last `ranks`.
 */
export interface RanksFrame {
  t: 'ranks';
  no: number;
  version: number;
  rows: number[];
}
/** Own ranks hold at the version they have until the next `entries` frame (this user's entries changed). */
export interface HoldFrame {
  t: 'hold';
  no: number;
  version: number;
}
/** The edge has only `version`, less than the `since` asked for: the state comes when it has caught up. */
export interface BehindFrame {
  t: 'behind';
  no: number;
  version: number;
  since: number;
}

export type ClientFrame = ConnectFrame | SubscribeFrame | UnsubscribeFrame | RefreshFrame | PingFrame;
export type ServerFrame =
  | ConnectedFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | RefreshedFrame
  | PongFrame
  | ErrorFrame
  | GapFrame
  | MoveFrame
  | MessageFrame
  | BoardFrame
  | PlayersFrame
  | EntriesFrame
  | RanksFrame
  | HoldFrame
  | BehindFrame;
export type Frame = ClientFrame | ServerFrame;

/** Numbers are never reused. Fields in wire order. */
export const frameTable = {
  connect: { no: 1, from: 'client', fields: ['token', 'agent'] },
  subscribe: { no: 2, from: 'client', fields: ['id', 'channel', 'epoch', 'since'] },
  unsubscribe: { no: 3, from: 'client', fields: ['id', 'channel'] },
  refresh: { no: 4, from: 'client', fields: ['id', 'token'] },
  ping: { no: 5, from: 'client', fields: ['id'] },
  connected: {
    no: 32,
    from: 'edge',
    fields: ['protocol', 'session', 'user', 'expiresAt', 'serverTime', 'idleMs'],
  },
  subscribed: {
    no: 33,
    from: 'edge',
    fields: ['id', 'no', 'channel', 'kind', 'epoch', 'position', 'recovered'],
  },
  unsubscribed: { no: 34, from: 'edge', fields: ['id', 'channel', 'code', 'message'] },
  refreshed: { no: 35, from: 'edge', fields: ['id', 'expiresAt'] },
  pong: { no: 36, from: 'edge', fields: ['id', 'serverTime'] },
  error: { no: 37, from: 'edge', fields: ['id', 'code', 'message', 'channel'] },
  gap: { no: 38, from: 'edge', fields: ['no', 'epoch', 'position', 'code', 'message'] },
  move: { no: 39, from: 'edge', fields: ['withinMs'] },
  message: { no: 40, from: 'edge', fields: ['no', 'position', 'at', 'id', 'data'] },
  board: {
    no: 41,
    from: 'edge',
    fields: ['no', 'version', 'at', 'total', 'scoreStep', 'prizes', 'final', 'stale', 'top'],
  },
  players: {
    no: 42,
    from: 'edge',
    fields: ['no', 'base', 'version', 'at', 'pointStep', 'final', 'players', 'label'],
  },
  entries: { no: 43, from: 'edge', fields: ['no', 'version', 'entries'] },
  ranks: { no: 44, from: 'edge', fields: ['no', 'version', 'rows'] },
  hold: { no: 45, from: 'edge', fields: ['no', 'version'] },
  behind: { no: 46, from: 'edge', fields: ['no', 'version', 'since'] },
} as const;
