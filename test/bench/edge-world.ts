import { setTimeout as delay } from 'node:timers/promises';
import type { ClientFrame } from '../../proto/frames.ts';
import type { ContestEvent, EntryItem } from '../../proto/records.ts';
import { Gateway } from '../journeys/gateway.ts';

/**
 * A gateway with one match, in which every team of contest `c` holds `p0`: whatever happens to him changes
 * every score, and so reaches every socket with a team.
 */
export interface EdgeWorld {
  readonly gateway: Gateway;
  /** A token of the user. */
  token(user: string): string;
  /** A record of `p0`; resolves when the log has it. Answers the version. */
  score(): Promise<number>;
}

const squad = 22;
const entriesPerRecord = 1_000;
const recordsPerRequest = 10;
/** All sockets come from one address, as fast as they can. */
const unpaced = ['--upgrades-per-second', '1000000', '--upgrades-per-address', '1000000'];
const quiet = ['--log-level', 'warn', '--sockets', 'uws', '--idle-ms', '600000'];

/** How tokens are made where not by a shared secret. */
export interface TokenKey {
  flags: readonly string[];
  token(user: string): string;
}

/** Users `u0` up to `u<teams - 1>` have a team each. */
export async function startEdgeWorld(
  teams: number,
  flags: readonly string[] = [],
  key?: TokenKey,
): Promise<EdgeWorld> {
  const gateway = new Gateway([...unpaced, ...quiet, ...flags], key?.flags);
  const token = key?.token ?? ((user: string) => gateway.token(user));
  await gateway.start();
  try {
    await fill(gateway, teams, token('u0'));
  } catch (error) {
    await gateway.remove();
    throw error;
  }
  let points = 0;
  let no = 0;
  return {
    gateway,
    token,
    async score() {
      no += 1;
      points = (points + 1) % 5_000;
      const record: ContestEvent = {
        type: 'points',
        id: `p-${no}`,
        at: Date.now(),
        match: 'm',
        player: 'p0',
        points,
      };
      const { versions, refused } = await gateway.ingest('contest-events', [record]);
      if (refused.length > 0) throw new Error(refused[0]!.message);
      return versions[0]!.version;
    },
  };
}

async function fill(gateway: Gateway, teams: number, token: string): Promise<void> {
  const at = Date.now() - 60_000;
  const players = Array.from({ length: squad }, (_, i) => `p${i}`);
  await gateway.ingest('contest-events', [
    { type: 'match', id: 'match', at, match: 'm', players, startsAt: at + 30_000, pointStep: 1 },
    { type: 'contest', id: 'contest', at, contest: 'c', kind: 'fantasy', match: 'm' },
  ]);
  let records: ContestEvent[] = [];
  for (let made = 0; made < teams; ) {
    const entries: EntryItem[] = [];
    for (; entries.length < entriesPerRecord && made < teams; made += 1) entries.push(team(made, players));
    records.push({ type: 'entries', id: `e-${made}`, at, match: 'm', entries });
    if (records.length < recordsPerRequest && made < teams) continue;
    const { refused } = await gateway.ingest('contest-events', records);
    if (refused.length > 0) throw new Error(refused[0]!.message);
    records = [];
  }
  const points = players.slice(1).map(
    (player, i): ContestEvent => ({
      type: 'points',
      id: `start-${player}`,
      at: at + 40_000,
      match: 'm',
      player,
      points: (i * 37) % 90,
    }),
  );
  const { versions } = await gateway.ingest('contest-events', points);
  await applied(gateway, versions[0]!.version, token);
}

function team(no: number, players: readonly string[]): EntryItem {
  const step = 1 + (no % 7);
  const chosen = new Set(['p0']);
  for (let at = (no * 13) % squad; chosen.size < 11; at = (at + step) % squad) {
    chosen.add(players[chosen.has(players[at]!) ? (at + 1) % squad : at]!);
    if (step % 2 === 0 && chosen.size % 3 === 0) at += 1;
  }
  const names = [...chosen];
  const captain = names[no % 11]!;
  const viceCaptain = names[(no + 1 + (no % 9)) % 11]!;
  return { entry: `t${no}`, user: `u${no}`, contests: ['c'], players: names, captain, viceCaptain };
}

/** A million teams take the ranker longer than a request waits. */
async function applied(gateway: Gateway, version: number, token: string): Promise<void> {
  const url = `${gateway.url}/v1/contests/c/leaderboard?page=0&minVersion=${version}`;
  for (let tries = 60; tries > 0; tries -= 1) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (response.status === 200) return;
    await delay(500);
  }
  throw new Error('the ranker did not get through the teams');
}

/** What a phone says first. */
export function hello(token: string, channels: readonly string[]): ClientFrame[] {
  return [
    { t: 'connect', token },
    ...channels.map((channel, i): ClientFrame => ({ t: 'subscribe', id: i + 1, channel })),
  ];
}
