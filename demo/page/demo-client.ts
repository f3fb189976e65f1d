/** The page's way to the demo's own small API: who I am, which match is on, who is here, entering a team. */

/** What `/demo.json` says: the demo writes it when it starts. */
interface DemoFile {
  /** Of the demo's API, on the host that served the page. */
  apiPort: number;
}
export interface DemoRoom {
  match: string;
  contest: string;
  /** Which of the bundled matches it is. */
  file: string;
  over: boolean;
  /** Title of the match that can be played next; null: none now. */
  next: string | null;
  /** Users of the other windows. */
  people: string[];
}
export interface TeamChoice {
  players: string[];
  captain: string;
  viceCaptain: string;
}
export interface Entered {
  entry: string;
}
interface Identity {
  user: string;
  /** Proves to the demo that this window may be that user again. */
  key: string;
}
export interface DemoClient {
  readonly user: string;
  /** The server's clock less ours, in ms. */
  readonly skewMs: number;
  /** A token that is still good for a while. */
  token(): Promise<string>;
  room(): Promise<DemoRoom>;
  enter(team: TeamChoice): Promise<Entered>;
  playNext(): Promise<void>;
}

/** The demo refused; 503: it is not ready yet. */
export class DemoError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A token lasts a day; a window that stays open asks again long before. */
const tokenKeptMs = 3_600_000;
const identityKey = 'rankcast.identity';
const guestKeyName = 'rankcast.guest';

/** The window's user: a new one for a new window, kept when it is loaded again. Rejects with a sentence. */
export async function signIn(): Promise<DemoClient> {
  const call = createCall(await findApi(), guestKey());
  const kept = sessionStorage.getItem(identityKey);
  let identity = kept === null ? null : (JSON.parse(kept) as Identity);
  let token = '';
  let takenAt = 0;
  let skewMs = 0;
  const take = (answer: { token: string; now: number }): void => {
    token = answer.token;
    takenAt = Date.now();
    skewMs = answer.now - takenAt;
  };
  if (identity !== null) {
    try {
      take(await call('POST', '/tokens', identity));
    } catch (error) {
      // of a demo that was begun afresh since
      if (!(error instanceof DemoError)) throw error;
      identity = null;
    }
  }
  if (identity === null) {
    const answer = await call<Identity & { token: string; now: number }>('POST', '/users', {});
    identity = { user: answer.user, key: answer.key };
    sessionStorage.setItem(identityKey, JSON.stringify(identity));
    take(answer);
  }
  const { user, key } = identity;
  const current = async (): Promise<string> => {
    if (Date.now() - takenAt > tokenKeptMs) take(await call('POST', '/tokens', { user, key }));
    return token;
  };
  return {
    user,
    get skewMs() {
      return skewMs;
    },
    token: current,
    room: () => call('GET', `/room?user=${user}`),
    enter: async (team) => call('POST', '/entries', team, await current()),
    playNext: async () => call('POST', '/next', {}, await current()),
  };
}

type Call = <Answer>(method: string, path: string, body?: unknown, token?: string) => Promise<Answer>;

async function findApi(): Promise<string> {
  const answer = await fetch('/demo.json').catch(() => null);
  if (answer === null || !answer.ok) {
    throw new Error('This page belongs to the demo, and no demo is running. Start one with: npm start');
  }
  const { apiPort } = (await answer.json()) as DemoFile;
  return `${location.protocol}//${location.hostname}:${apiPort}`;
}

function createCall(first: string, guest: string | null): Call {
  let api = first;
  return async (method, path, body, token) => {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (guest !== null) headers['x-guest-key'] = guest;
    const request: RequestInit = { method, headers };
    if (body !== undefined) request.body = JSON.stringify(body);
    let answer = await fetch(`${api}${path}`, request).catch(() => null);
    if (answer === null) {
      // a demo that was started again has its API elsewhere
      api = await findApi();
      answer = await fetch(`${api}${path}`, request).catch(() => null);
    }
    if (answer === null) throw new Error('The demo cannot be reached. Is it still running?');
    const content = (await answer.json()) as { error?: { message: string } };
    if (!answer.ok) {
      throw new DemoError(answer.status, content.error?.message ?? `The demo answered ${answer.status}.`);
    }
    return content as never;
  };
}

/** From another machine the printed address carries it behind a `#`, where no server's log sees it. */
function guestKey(): string | null {
  const found = /^#guest=([\w-]+)$/.exec(location.hash)?.[1];
  if (found !== undefined) sessionStorage.setItem(guestKeyName, found);
  return sessionStorage.getItem(guestKeyName);
}
