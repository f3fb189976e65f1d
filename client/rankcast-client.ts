/** What the package `rankcast-client` gives: all that apps see of the SDK, and nothing else. */

export type { ChannelStatus } from './channel.ts';
export type { Client, ClientEvents, FeedData } from './client.ts';
// biome-ignore lint/performance/noBarrelFile: a package has one entry
export { connect } from './client.ts';
export type { Clock } from './clock.ts';
export type { ConnectionState, ConnectionStatus } from './connection.ts';
export type { Board, BoardRow, ContestEvents, ContestRoom, Entry, Ranks, View } from './contest-room.ts';
export type { LeaderboardPage, RanksAnswer, ReadOptions } from './http.ts';
export type { MatchEvents, MatchRoom, PlayersChange } from './match-room.ts';
export type { Gap, LogEvents, Message, MessageLog } from './message-log.ts';
export type { ConnectOptions, FetchLike, WebSocketConstructor, WebSocketLike } from './options.ts';
export { connectDefaults } from './options.ts';
export type { SdkCode } from './rankcast-error.ts';
export { RankcastError } from './rankcast-error.ts';
export type { Behind } from './state-channel.ts';
