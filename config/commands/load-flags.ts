import { ConfigError } from '../options.ts';
import { tokenSecretProblems } from './flag-checks.ts';

/** As the command line gives them. */
export interface LoadFlags {
  url: string;
  tokenSecret?: string;
  apiKey?: string;
  viewers: string;
  connectsPerS: string;
  rooms: string;
  roomsPerViewer: string;
  events: string;
  follows: string;
  durationS: string;
  user: string;
  seed?: string;
  json?: boolean;
}
export interface LoadOptions {
  /** Of HTTP, without a slash at its end. */
  url: string;
  socketUrl: string;
  tokenSecret: string;
  /** '': none; only needed for own rooms. */
  apiKey: string;
  /** Given on the command line; none: own rooms are made. */
  channels: readonly string[];
  viewers: number;
  connectsPerS: number;
  rooms: number;
  roomsPerViewer: number;
  eventsPerS: number;
  followsPerS: number;
  durationS: number;
  userOf(viewer: number): string;
  seed: number;
  json: boolean;
}

export const loadDefaults = {
  viewers: '100',
  /** Below the 200 a second that a gateway lets in from one address by default. */
  connectsPerS: '150',
  rooms: '1',
  roomsPerViewer: '1',
  events: '1',
  follows: '0',
  durationS: '30',
  user: 'load-#',
} as const;

/** One process has so many ports towards one address of a gateway. */
const viewersMax = 28_000;
/** As many as a socket may subscribe to by default, with its feed. */
const roomsPerViewerMax = 99;

/** Throws `ConfigError` with everything that is wrong. */
export function readLoadFlags(
  channels: readonly string[],
  flags: LoadFlags,
  environment: Readonly<Record<string, string | undefined>>,
): LoadOptions {
  const problems: string[] = [];
  const number = (name: string, text: string, least: number, most: number, whole = true): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    problems.push(`--${name}: "${text}" is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
    return least;
  };
  const tokenSecret = flags.tokenSecret ?? environment['RANKCAST_TOKEN_SECRET'] ?? '';
  problems.push(...tokenSecretProblems(tokenSecret));
  const apiKey = flags.apiKey ?? environment['RANKCAST_API_KEY'] ?? '';
  if (apiKey === '' && channels.length === 0) {
    problems.push('no channels and no API key: name channels to watch, or give --api-key to make rooms');
  }
  for (const channel of channels) {
    if (!/^(contest|match):[A-Za-z0-9_-]{1,36}$/.test(channel)) {
      problems.push(`${JSON.stringify(channel)} is not contest:<id> or match:<id>`);
    }
  }
  const viewers = number('viewers', flags.viewers, 1, viewersMax);
  if (!/^[A-Za-z0-9_-]*#[A-Za-z0-9_-]*$/.test(flags.user) || flags.user.length > 30) {
    problems.push(
      `--user: ${JSON.stringify(flags.user)} is not an id of up to 30 characters with one # in it`,
    );
  }
  const rooms = number('rooms', flags.rooms, 1, 10_000);
  const options: LoadOptions = {
    ...addresses(flags.url, problems),
    ...{ tokenSecret, apiKey, channels, viewers, rooms },
    connectsPerS: number('connects-per-s', flags.connectsPerS, 0.1, 100_000, false),
    roomsPerViewer: number('rooms-per-viewer', flags.roomsPerViewer, 1, roomsPerViewerMax),
    eventsPerS: number('events', flags.events, 0, 10_000, false),
    followsPerS: number('follows', flags.follows, 0, 10_000, false),
    durationS: number('duration-s', flags.durationS, 0, 86_400, false),
    userOf: (viewer) => flags.user.replace('#', String(viewer + 1)),
    seed: flags.seed === undefined ? 1 : number('seed', flags.seed, 0, 2 ** 32),
    json: flags.json ?? false,
  };
  const there = channels.length === 0 ? rooms : channels.length;
  if (options.roomsPerViewer > there) {
    problems.push(`--rooms-per-viewer: there are only ${there} rooms`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return options;
}

function addresses(url: string, problems: string[]): { url: string; socketUrl: string } {
  if (!URL.canParse(url) || !/^(https?|wss?):/.test(url)) {
    problems.push(`--url: ${JSON.stringify(url)} is not an http, https, ws or wss URL`);
    return { url, socketUrl: url };
  }
  const http = new URL(url).href.replace(/^ws/, 'http').replace(/\/(v1\/socket)?$/, '');
  return { url: http, socketUrl: `${http.replace(/^http/, 'ws')}/v1/socket` };
}
