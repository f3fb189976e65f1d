/**
 * What the page asks of the demo and not of the gateway: to be a user, which match is on, to enter a team.
 * The keys stay here: the page gets a token of its own user, and its team goes in by this process's API key.
 *
 *   POST /users                     {user, key, token, now}
 *   POST /tokens   {user, key}      {token, now}
 *   GET  /room?user=                {match, contest, file, over, next, people}
 *   POST /entries  {players, captain, viceCaptain}, token      {entry}
 *   POST /next     token            {}
 *
 * Pages of other sites are refused by their Origin; from another machine it takes the guest key that the
 * demo printed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '../client/clock.ts';
import type { EntriesRecord } from '../proto/records.ts';
import type { DemoTokens } from './demo-tokens.ts';
import type { DemoUsers } from './demo-users.ts';

/** Which match is on; `file` is the bundled match. */
export interface Stage {
  match: string;
  contest: string;
  file: string;
  players: readonly string[];
  over: boolean;
  /** Title of what can be played next; null: the match is on. */
  next: string | null;
}
export interface DemoApiOptions {
  host: string;
  clock: Clock;
  tokens: DemoTokens;
  users: DemoUsers;
  guestKey: string;
  /** null: it is still being prepared. */
  stage(): Stage | null;
  playNext(): void;
  /** Rejects with a sentence. */
  enter(record: EntriesRecord): Promise<void>;
  /** A window opened as a new user. */
  onUser(user: string): void;
  /** A user has a team: fans may notice. */
  onEntered(user: string): void;
}
export interface DemoApi {
  readonly port: number;
  /** Of the pages that may ask: known when the gateway has started. */
  allowPort(port: number): void;
  close(): void;
}

/** A team in JSON is 300 bytes. */
const bodyBytesMax = 4_096;

class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startDemoApi(options: DemoApiOptions): Promise<DemoApi> {
  let pagePort = -1;
  const server = createServer((request, response) => {
    void handle(options, pagePort, request, response);
  });
  await listen(server, options.host);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    allowPort: (port) => {
      pagePort = port;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`The demo's API cannot listen: ${error.message}`)));
    server.listen(0, host, resolve);
  });
}

async function handle(
  options: DemoApiOptions,
  pagePort: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'origin',
      ...(origin !== undefined && mayAsk(request, pagePort) ? { 'access-control-allow-origin': origin } : {}),
    });
    response.end(JSON.stringify(body));
  };
  try {
    if (!mayAsk(request, pagePort)) throw new ApiError(403, 'Only the page of this demo may ask.');
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'GET, POST');
      response.setHeader('access-control-allow-headers', 'authorization, content-type, x-guest-key');
      response.setHeader('access-control-max-age', '600');
      answer(200, {});
      return;
    }
    if (!isInvited(request, options.guestKey)) {
      throw new ApiError(
        401,
        'From another machine, open the address that the demo printed, with its #guest.',
      );
    }
    answer(200, await route(options, request));
  } catch (error) {
    if (error instanceof ApiError) answer(error.status, { error: { message: error.message } });
    else answer(502, { error: { message: error instanceof Error ? error.message : String(error) } });
  }
}

/**
 * The page's own origin: the host by which the page was reached, on the gateway's port. Names other than
 * localhost are not taken, so that no name of another site can be made to point here.
 */
function mayAsk(request: IncomingMessage, pagePort: number): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (host === undefined) return false;
  try {
    const page = new URL(origin);
    const asked = new URL(`http://${host}`);
    const plain = page.hostname === 'localhost' || isIP(page.hostname.replace(/^\[|\]$/g, '')) !== 0;
    return plain && page.hostname === asked.hostname && Number(page.port || 80) === pagePort;
  } catch {
    return false;
  }
}

function isInvited(request: IncomingMessage, guestKey: string): boolean {
  const address = request.socket.remoteAddress ?? '';
  const here = address === '::1' || /^(::ffff:)?127\./.test(address);
  return here || request.headers['x-guest-key'] === guestKey;
}

async function route(options: DemoApiOptions, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://demo');
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /users':
      return await newUser(options);
    case 'POST /tokens':
      return await newToken(options, await readBody(request));
    case 'GET /room':
      return room(options, url.searchParams.get('user') ?? '');
    case 'POST /entries':
      return await enter(options, await callerOf(options, request), await readBody(request));
    case 'POST /next':
      await callerOf(options, request);
      if (stageOf(options).next === null) throw new ApiError(409, 'The match is still on.');
      options.playNext();
      return {};
    default:
      throw new ApiError(404, `There is no ${request.method} ${url.pathname}.`);
  }
}

async function newUser({ users, tokens, clock, onUser }: DemoApiOptions): Promise<unknown> {
  const user = users.create();
  if (user === null) throw new ApiError(429, 'This demo has had too many windows. Start it again.');
  onUser(user);
  return { user, key: tokens.keyOf(user), token: await tokens.mint(user), now: clock.now() };
}

async function newToken({ users, tokens, clock }: DemoApiOptions, body: unknown): Promise<unknown> {
  const { user, key } = body as { user?: unknown; key?: unknown };
  if (typeof user !== 'string' || typeof key !== 'string' || !tokens.isKeyOf(user, key)) {
    throw new ApiError(403, 'This key is not that user’s.');
  }
  users.welcome(user);
  return { token: await tokens.mint(user), now: clock.now() };
}

function stageOf({ stage }: DemoApiOptions): Stage {
  const now = stage();
  if (now === null) throw new ApiError(503, 'The match is still being prepared; try again in a moment.');
  return now;
}

function room(options: DemoApiOptions, user: string): unknown {
  const { match, contest, file, over, next } = stageOf(options);
  options.users.seen(user);
  return { match, contest, file, over, next, people: options.users.others(user) };
}

async function callerOf({ tokens }: DemoApiOptions, request: IncomingMessage): Promise<string> {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const user = token === undefined ? null : await tokens.userOf(token);
  if (user === null) throw new ApiError(401, 'A token of this demo is needed.');
  return user;
}

async function enter(options: DemoApiOptions, user: string, body: unknown): Promise<unknown> {
  const { match, contest, players: known, over } = stageOf(options);
  if (over) throw new ApiError(409, 'The match is over: no more teams are taken.');
  const { players, captain, viceCaptain } = body as Record<string, unknown>;
  const isTeam = Array.isArray(players) && players.length === 11 && new Set(players).size === 11;
  if (!isTeam || !players.every((player) => known.includes(player as string))) {
    throw new ApiError(400, 'A team is eleven different players of this match.');
  }
  const leaders = [captain, viceCaptain].filter((one) => players.includes(one));
  if (leaders.length !== 2 || captain === viceCaptain) {
    throw new ApiError(400, 'A captain and another vice-captain must be among the eleven.');
  }
  const entry = options.users.nextEntry(user, contest);
  if (entry === null) throw new ApiError(409, 'You have as many teams as one may have.');
  const at = options.clock.now();
  const team = {
    players: players as string[],
    captain: captain as string,
    viceCaptain: viceCaptain as string,
  };
  await options.enter({
    type: 'entries',
    id: `own-${entry}`,
    at,
    match,
    entries: [{ entry, user, contests: [contest], ...team }],
  });
  options.onEntered(user);
  return { entry };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) throw new ApiError(413, `A body has at most ${bodyBytesMax} bytes.`);
    parts.push(part);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new ApiError(400, 'The body is not JSON.');
  }
  if (typeof body !== 'object' || body === null) throw new ApiError(400, 'The body is not an object.');
  return body;
}
