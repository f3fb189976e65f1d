/**
 * `npm start`: a gateway, a real final, a hundred thousand teams and their fans, and how to watch it all. A
 * second start goes on where the first ended; when the match was over, it is played again under another id.
 */
import { SignJWT } from 'jose';
import type { Clock } from '../client/clock.ts';
import { readBundledMatch, readFollows, readScoringTable } from './bundled.ts';
import { type ContestsOptions, contestRecords, entriesRecords } from './contests.ts';
import { type DemoFolder, openDemoFolder, type Progress } from './demo-folder.ts';
import { simulateFans, usersByFollowers } from './fans.ts';
import { type Gateway, type GatewayOptions, gatewayDefaults } from './gateway.ts';
import { createPost, putFollow, RefusedError } from './gateway-api.ts';
import { type Guide, guideText } from './guide.ts';
import type { MatchFile } from './match-file.ts';
import { createReplay, type Replay } from './replay.ts';
import { type Post, replayInto } from './replay-into.ts';
import { createScoreline } from './scoreline.ts';
import type { StartOptions } from './start-options.ts';
import { seededTeams, type Team } from './teams.ts';

/** What the demo touches of the world. */
export interface DemoWorld {
  clock: Clock;
  fetch: typeof fetch;
  startGateway(options: GatewayOptions): Promise<Gateway>;
  /** Path of the built command line. */
  script: string;
  print(text: string): void;
  printError(text: string): void;
  /** Ends the demo. */
  signal: AbortSignal;
}

/** Seeds of teams and follows: every start of the demo shows the same ones. */
const seed = 2019;
const dayMs = 86_400_000;

/** Resolves with the exit code. Rejects with a sentence for people when the demo cannot start. */
export async function runDemo(options: StartOptions, world: DemoWorld): Promise<number> {
  const folder = openDemoFolder(options.folder, options.fresh);
  const { apiKey, tokenSecret } = folder.secrets;
  const gateway = await world.startGateway({
    script: world.script,
    args: [
      'all',
      '--host',
      options.host,
      '--port',
      String(options.port),
      '--ops-port',
      '0',
      '--data',
      folder.data,
    ],
    // not as flags: those can be read by every user of the machine
    env: { RANKCAST_API_KEY: apiKey, RANKCAST_TOKEN_SECRET: tokenSecret },
    log: folder.log,
    ...gatewayDefaults,
  });
  const played = play(options, world, folder, gateway).catch((error: unknown) => {
    // what the signal cut off fails, as it must
    if (world.signal.aborted) return null;
    if (!(error instanceof RefusedError)) throw error;
    throw new Error(`${error.message}\nIf the data is not that of the former start: --fresh begins anew.`);
  });
  try {
    const sentence = await Promise.race([gateway.ended, played]);
    if (sentence === null || world.signal.aborted) return 0;
    world.printError(sentence);
    return 1;
  } finally {
    // where it is the gateway that ended, what goes on with it is of no more interest
    played.catch(() => {});
    await gateway.stop();
  }
}

/** Resolves when the signal came. */
async function play(
  options: StartOptions,
  world: DemoWorld,
  folder: DemoFolder,
  gateway: Gateway,
): Promise<null> {
  const { clock, signal, print } = world;
  const url = `http://${reachable(options.host)}:${gateway.port}`;
  const post = createPost({ url, apiKey: folder.secrets.apiKey, clock, fetch: world.fetch, signal });
  const file = readBundledMatch('final-2019');
  const progress = nextProgress(folder.readProgress(), file.deliveries.length, options);
  folder.writeProgress(progress);
  const match = progress.run === 1 ? 'final-2019' : `final-2019-${progress.run}`;
  const replay = createReplay(file, readScoringTable(), match);
  const follows = readFollows();
  const teams = teamsOf(progress.teams, replay.players, usersByFollowers(follows));
  const watcher = watcherOf(teams);
  const contests: ContestsOptions = { match, contest: match, smallContests: progress.smallContests, seed };
  print(`The gateway listens on ${url} (operators: http://127.0.0.1:${gateway.opsPort}).`);
  if (!progress.seeded) {
    await seedContests({ contests, replay, teams, post, world });
    if (signal.aborted) return null;
    progress.seeded = true;
    folder.writeProgress(progress);
  }
  const tokenOf = isLoopback(options.host) ? (user: string) => mint(folder, user, clock) : null;
  print(await guideOf({ options, world, folder, gateway, contests, teams, file, watcher, tokenOf }));
  const fans =
    tokenOf === null || options.fans === 0
      ? Promise.resolve(0)
      : simulateFans({
          follows,
          favourite: watcher,
          // other follows than those of the starts before
          seed: seed + progress.run * 1_000 + progress.next,
          rate: options.fans,
          clock,
          signal,
          follow: (from, to) => putFollow({ url, tokenOf, fetch: world.fetch, signal }, from, to),
          onError: (error) => world.printError(`A fan could not follow: ${(error as Error).message}`),
        });
  await Promise.all([
    replayMatch({ replay, file, post, progress, folder, options, world }),
    fans,
    aborted(signal),
  ]);
  return null;
}

/** A match that was played to its end is played again, under another id. */
function nextProgress(former: Progress | null, deliveries: number, options: StartOptions): Progress {
  if (former !== null && former.next <= deliveries) return former;
  const { teams, smallContests } = options;
  return { run: (former?.run ?? 0) + 1, teams, smallContests, seeded: false, next: 0 };
}

function teamsOf(count: number, players: readonly string[], users: readonly string[]): Team[] {
  return seededTeams({ seed, count, players, userOf: (n) => users[n] ?? `u${n + 1}` });
}

interface Seeding {
  contests: ContestsOptions;
  replay: Replay;
  teams: readonly Team[];
  post: Post;
  world: DemoWorld;
}

/** The match is announced for tomorrow: what was half done before may be done again. */
async function seedContests({ contests, replay, teams, post, world }: Seeding): Promise<void> {
  const at = world.clock.now();
  await post([replay.matchRecord(at, at + dayMs), ...contestRecords(contests, at)]);
  let taken = 0;
  for (const record of entriesRecords(contests, teams, at)) {
    if (world.signal.aborted) return;
    await post([record]);
    const before = taken;
    taken += record.entries.length;
    const step = Math.floor((taken * 4) / teams.length) > Math.floor((before * 4) / teams.length);
    if (step)
      world.print(`${taken.toLocaleString('en')} of ${teams.length.toLocaleString('en')} teams are in.`);
  }
}

interface Playing {
  replay: Replay;
  file: MatchFile;
  post: Post;
  progress: Progress;
  folder: DemoFolder;
  options: StartOptions;
  world: DemoWorld;
}

async function replayMatch({ replay, file, post, progress, folder, options, world }: Playing): Promise<void> {
  const scoreline = createScoreline(file);
  for (let k = 0; k < progress.next; k++) scoreline(k);
  await replayInto({
    post,
    replay,
    clock: world.clock,
    speed: options.speed,
    from: progress.next,
    signal: world.signal,
    onDelivery: (k) => {
      progress.next = k + 1;
      folder.writeProgress(progress);
      world.print(scoreline(k));
    },
  });
  if (world.signal.aborted) return;
  progress.next = replay.deliveries + 1;
  folder.writeProgress(progress);
  world.print('The match is over. Ranks stay to be read; Ctrl-C ends it, the next start plays it again.');
}

/** The most followed users own the first teams: of the first hundred teams, the owner of most. */
function watcherOf(teams: readonly Team[]): string {
  const owned = new Map<string, number>();
  for (const { user } of teams.slice(0, 100)) owned.set(user, (owned.get(user) ?? 0) + 1);
  return [...owned].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

interface GuideSource {
  options: StartOptions;
  world: DemoWorld;
  folder: DemoFolder;
  gateway: Gateway;
  contests: ContestsOptions;
  teams: readonly Team[];
  file: MatchFile;
  watcher: string;
  tokenOf: ((user: string) => Promise<string>) | null;
}

async function guideOf(source: GuideSource): Promise<string> {
  const { options, world, folder, gateway, contests, teams, file, watcher, tokenOf } = source;
  const fan = teams.find(({ user }) => user !== watcher)?.user ?? 'u1';
  const player =
    file.players.find(({ name }) => name === 'JJ Bumrah') ?? (file.players[0] as MatchFile['players'][0]);
  const guide: Guide = {
    script: world.script,
    url: `${reachable(options.host)}:${gateway.port}`,
    match: contests.match,
    contest: contests.contest,
    teams: teams.length,
    smallContests: contests.smallContests,
    user: watcher,
    teamsOfUser: teams.filter(({ user }) => user === watcher).length,
    fan,
    player,
    secrets:
      tokenOf === null
        ? null
        : { apiKey: folder.secrets.apiKey, token: await tokenOf(watcher), fanToken: await tokenOf(fan) },
    folder: options.folder,
  };
  return guideText(guide);
}

/** A token for a day. */
function mint(folder: DemoFolder, user: string, clock: Clock): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(Math.floor((clock.now() + dayMs) / 1_000))
    .sign(new TextEncoder().encode(folder.secrets.tokenSecret));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** An address that a client on this machine can use, as it stands in a URL. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
