/**
 * `npm start`: a gateway, a real final, a hundred thousand teams and their fans, a page, and how to watch it
 * all. When the match is over, the next one can be played from the page. A second start goes on where the
 * first ended; when the match was over, with the next one.
 */
import type { Clock } from '../client/clock.ts';
import { isLoopback, outsideAddresses, reachable } from './addresses.ts';
import { createAdmirers } from './admirers.ts';
import { readBundledMatch, readFollows, readScoringTable } from './bundled.ts';
import type { ContestsOptions } from './contests.ts';
import type { DemoApi, DemoApiOptions, Stage } from './demo-api.ts';
import { type DemoFolder, openDemoFolder, type Progress } from './demo-folder.ts';
import { createDemoTokens, type DemoTokens } from './demo-tokens.ts';
import { createDemoUsers } from './demo-users.ts';
import { type Follow, simulateFans, usersByFollowers } from './fans.ts';
import { type Gateway, type GatewayOptions, gatewayDefaults } from './gateway.ts';
import { createPost, putFollow, RefusedError } from './gateway-api.ts';
import { type Guide, guideText, windowText } from './guide.ts';
import type { MatchFile } from './match-file.ts';
import { writePageFolder } from './page-folder.ts';
import { type Play, playOf } from './program.ts';
import { createRandom } from './random.ts';
import { createReplay, type Replay } from './replay.ts';
import { type Post, replayInto } from './replay-into.ts';
import { createScoreline } from './scoreline.ts';
import { seedContests } from './seeding.ts';
import type { StartOptions } from './start-options.ts';
import { seededTeams, type Team } from './teams.ts';

/** What the demo touches of the world. */
export interface DemoWorld {
  clock: Clock;
  fetch: typeof fetch;
  startGateway(options: GatewayOptions): Promise<Gateway>;
  startApi(options: DemoApiOptions): Promise<DemoApi>;
  /** Path of the built command line. */
  script: string;
  /** Folder of the built page; null: none is served. */
  page: string | null;
  /** Not for secrets, nor the same at each start. */
  startSeed: number;
  print(text: string): void;
  printError(text: string): void;
  /** Ends the demo. */
  signal: AbortSignal;
}

/** What one start of the demo knows of. */
interface Demo {
  options: StartOptions;
  world: DemoWorld;
  folder: DemoFolder;
  tokens: DemoTokens;
  follows: Follow[];
  /** The most followed first. */
  users: string[];
  /** What the page is told; null: nothing is ready. */
  stage: Stage | null;
  /** Begins the next match, when it is waited for. */
  playNext: () => void;
  /** Set when the gateway has started. */
  gateway: Gateway | null;
}

/** Seeds of teams and follows: every start of the demo shows the same ones. */
const seed = 2019;

/** Resolves with the exit code. Rejects with a sentence for people when the demo cannot start. */
export async function runDemo(options: StartOptions, world: DemoWorld): Promise<number> {
  const folder = openDemoFolder(options.folder, options.fresh);
  const follows = readFollows();
  const demo: Demo = {
    options,
    world,
    folder,
    tokens: createDemoTokens(folder.secrets.tokenSecret, world.clock),
    follows,
    users: usersByFollowers(follows),
    stage: null,
    playNext: () => {},
    gateway: null,
  };
  const api = await world.startApi(apiOptions(demo));
  try {
    if (world.page !== null) writePageFolder(world.page, folder.page, api.port);
    const gateway = await world.startGateway(gatewayOptions(demo));
    demo.gateway = gateway;
    api.allowPort(gateway.port);
    return await runWith(demo, gateway);
  } finally {
    api.close();
  }
}

/** Until the signal comes, or the gateway ends by itself. */
async function runWith(demo: Demo, gateway: Gateway): Promise<number> {
  const { world } = demo;
  const played = play(demo, gateway).catch((error: unknown) => {
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

function gatewayOptions({ options, world, folder }: Demo): GatewayOptions {
  const { apiKey, tokenSecret } = folder.secrets;
  const role = options.workersApart ? 'edge' : 'all';
  const args = [role, '--host', options.host, '--port', String(options.port)];
  args.push('--ops-port', '0', '--data', folder.data);
  // a page of any origin may connect: without a token of this demo it gets nothing
  if (world.page !== null) args.push('--page-folder', folder.page, '--allowed-origins', '*');
  // not as flags: those can be read by every user of the machine
  const env = { RANKCAST_API_KEY: apiKey, RANKCAST_TOKEN_SECRET: tokenSecret };
  return { script: world.script, args, env, log: folder.log, ...gatewayDefaults };
}

function apiOptions(demo: Demo): DemoApiOptions {
  const { options, world, folder, tokens, users } = demo;
  const { clock, signal } = world;
  const random = createRandom(world.startSeed);
  const notice = createAdmirers({
    fans: users,
    random,
    clock,
    signal,
    follow: (from, to) => follow(demo, from, to),
    onError: (error) => world.printError(`A fan could not follow: ${(error as Error).message}`),
  });
  return {
    host: options.host,
    clock,
    tokens,
    users: createDemoUsers(clock, random),
    guestKey: folder.secrets.guestKey,
    stage: () => demo.stage,
    playNext: () => demo.playNext(),
    enter: (record) => postOf(demo)([record]),
    onUser: (user) => void tellWindow(demo, user),
    onEntered: (user) => {
      if (options.fans > 0) notice(user);
    },
  };
}

function urlOf({ options, gateway }: Demo): string {
  return `http://${reachable(options.host)}:${gateway?.port ?? options.port}`;
}

function postOf(demo: Demo): Post {
  const { clock, fetch, signal } = demo.world;
  return createPost({ url: urlOf(demo), apiKey: demo.folder.secrets.apiKey, clock, fetch, signal });
}

function follow(demo: Demo, from: string, to: string): Promise<void> {
  const { fetch, signal } = demo.world;
  return putFollow({ url: urlOf(demo), tokenOf: demo.tokens.mint, fetch, signal }, from, to);
}

/** Commands for this window's user, on this machine only. */
async function tellWindow(demo: Demo, user: string): Promise<void> {
  const { options, world, tokens, users } = demo;
  if (!isLoopback(options.host)) return;
  const fan = users[0] ?? 'u1';
  world.print(windowText({ url: urlOf(demo), user, fan, fanToken: await tokens.mint(fan) }));
}

/** Match after match. Resolves when the signal came. */
async function play(demo: Demo, gateway: Gateway): Promise<null> {
  const { options, world, folder } = demo;
  const { signal, print } = world;
  print(`The gateway listens on ${urlOf(demo)} (operators: http://127.0.0.1:${gateway.opsPort}).`);
  print(
    world.page === null ? 'There is no page: `npm run build` builds it.' : addressText(demo, gateway.port),
  );
  const matches = async (): Promise<void> => {
    for (let first = true; !signal.aborted; first = false) {
      const progress = nextProgress(folder.readProgress(), options);
      folder.writeProgress(progress);
      await playMatch(demo, gateway, progress, first);
      if (!signal.aborted) await nextWanted(demo, progress.run + 1);
    }
  };
  await Promise.all([matches(), aborted(signal)]);
  return null;
}

function addressText({ options, folder }: Demo, port: number): string {
  const { guestKey } = folder.secrets;
  const phones = outsideAddresses(options.host).map(
    (host) => `  From a phone in the same network: http://${host}:${port}/#guest=${guestKey}`,
  );
  return ['', `  Open the contest room: http://${reachable(options.host)}:${port}/`, ...phones, ''].join(
    '\n',
  );
}

/** The match that stopped goes on; after its end comes the next. */
function nextProgress(former: Progress | null, options: StartOptions): Progress {
  if (former !== null && former.next <= readBundledMatch(playOf(former.run).file).deliveries.length) {
    return former;
  }
  const { teams, smallContests } = options;
  return { run: (former?.run ?? 0) + 1, teams, smallContests, seeded: false, next: 0 };
}

async function playMatch(demo: Demo, gateway: Gateway, progress: Progress, first: boolean): Promise<void> {
  const { world, folder } = demo;
  const { clock, signal, print } = world;
  const plan = playOf(progress.run);
  const { match } = plan;
  const file = readBundledMatch(plan.file);
  const replay = createReplay(file, readScoringTable(), match);
  const teams = teamsOf(progress.teams, replay.players, demo.users);
  const contests: ContestsOptions = { match, contest: match, smallContests: progress.smallContests, seed };
  const post = postOf(demo);
  const show = (): void => {
    demo.stage = { match, contest: match, file: plan.file, players: replay.players, over: false, next: null };
  };
  if (progress.seeded) show();
  else {
    await seedContests({ contests, replay, teams, post, clock, signal, print, onContests: show });
    if (signal.aborted) return;
    progress.seeded = true;
    folder.writeProgress(progress);
  }
  const watcher = watcherOf(teams);
  if (first) print(await guideOf(demo, { gateway, contests, teams, file, plan, watcher }));
  else print(`\nThe ${plan.title} begins: contest ${match}.\n`);
  // they go on through the matches that follow
  if (first && demo.options.fans > 0) void followAlong(demo, progress, watcher);
  await replayMatch(demo, { replay, file, post, progress });
}

/** Fans follow until the signal comes. */
function followAlong(demo: Demo, progress: Progress, favourite: string): Promise<number> {
  const { options, world, follows } = demo;
  return simulateFans({
    follows,
    favourite,
    // other follows than those of the starts before
    seed: seed + progress.run * 1_000 + progress.next,
    rate: options.fans,
    clock: world.clock,
    signal: world.signal,
    follow: (from, to) => follow(demo, from, to),
    onError: (error) => world.printError(`A fan could not follow: ${(error as Error).message}`),
  });
}

function teamsOf(count: number, players: readonly string[], users: readonly string[]): Team[] {
  return seededTeams({ seed, count, players, userOf: (n) => users[n] ?? `u${n + 1}` });
}

interface Playing {
  replay: Replay;
  file: MatchFile;
  post: Post;
  progress: Progress;
}

async function replayMatch(demo: Demo, { replay, file, post, progress }: Playing): Promise<void> {
  const { options, world, folder } = demo;
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
}

/** Resolves when someone asks for the next match on the page, or the signal came. */
async function nextWanted(demo: Demo, run: number): Promise<void> {
  const { print, signal } = demo.world;
  const { title } = playOf(run);
  const wanted = new Promise<void>((resolve) => {
    demo.playNext = resolve;
  });
  if (demo.stage !== null) demo.stage = { ...demo.stage, over: true, next: title };
  print(`The match is over. The page offers the ${title}, and so does the next start; Ctrl-C ends it.`);
  await Promise.race([wanted, aborted(signal)]);
}

/** The most followed users own the first teams: of the first hundred teams, the owner of most. */
function watcherOf(teams: readonly Team[]): string {
  const owned = new Map<string, number>();
  for (const { user } of teams.slice(0, 100)) owned.set(user, (owned.get(user) ?? 0) + 1);
  return [...owned].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

interface GuideSource {
  gateway: Gateway;
  contests: ContestsOptions;
  teams: readonly Team[];
  file: MatchFile;
  plan: Play;
  watcher: string;
}

async function guideOf(demo: Demo, source: GuideSource): Promise<string> {
  const { options, world, folder, tokens } = demo;
  const { gateway, contests, teams, file, plan, watcher } = source;
  const fan = teams.find(({ user }) => user !== watcher)?.user ?? 'u1';
  const player =
    file.players.find(({ name }) => name === 'JJ Bumrah') ?? (file.players[0] as MatchFile['players'][0]);
  const guide: Guide = {
    script: world.script,
    url: `${reachable(options.host)}:${gateway.port}`,
    match: contests.match,
    contest: contests.contest,
    title: plan.title,
    teams: teams.length,
    smallContests: contests.smallContests,
    user: watcher,
    teamsOfUser: teams.filter(({ user }) => user === watcher).length,
    fan,
    player,
    secrets: isLoopback(options.host)
      ? { apiKey: folder.secrets.apiKey, token: await tokens.mint(watcher), fanToken: await tokens.mint(fan) }
      : null,
    folder: options.folder,
  };
  return guideText(guide);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
