/** The contest room's page: signs in, joins the room, and draws what it tells, once a frame at most. */
import { type DemoClient, DemoError, type DemoRoom, signIn, type TeamChoice } from './demo-client.ts';
import { byId, element, write } from './element.ts';
import { createFollows, type Follows, reload } from './follows.ts';
import { count, userName } from './format.ts';
import { createGatewayCalls } from './gateway-calls.ts';
import { createLine, type Line } from './line.ts';
import { onFrame } from './motion.ts';
import { notify, notifyError } from './notices.ts';
import type { PageMatch } from './page-match.ts';
import { joinRoom, type Room, typicalLatencyMs } from './room.ts';
import { startTheme } from './theme.ts';
import { createBoardView } from './views/board-view.ts';
import { createConnectionView } from './views/connection-view.ts';
import { createPeopleView } from './views/people-view.ts';
import { createPickerView } from './views/picker-view.ts';
import { createPlayersView } from './views/players-view.ts';
import { createScoreboardView } from './views/scoreboard-view.ts';
import { createTeamsView } from './views/teams-view.ts';

/** People and the match's end are asked for so often; everything else is live. */
const demoAskedEveryMs = 4_000;
/** Between two looks at the clock: "12 s ago" and the time away go on without events. */
const clockMs = 1_000;

interface Page {
  me: DemoClient;
  page: PageMatch;
  line: Line;
  demo: DemoRoom;
  follows: Follows;
  room: Room;
}

async function start(): Promise<void> {
  startTheme();
  const me = await signIn();
  const demo = await openDemo(me);
  const page = await readMatch(demo.file);
  write(byId('you'), userName(me.user));
  let draw = (): void => {};
  const changed = onFrame(() => draw());
  const line = createLine();
  const follows = createFollows(createGatewayCalls(me, line), changed);
  const room = joinRoom(me, line, demo, page, follows, changed);
  const state: Page = { me, page, line, demo, follows, room };
  draw = createDraw(state, changed);
  changed();
  void reload(follows);
  setInterval(changed, clockMs);
  setInterval(() => void askDemo(state, changed), demoAskedEveryMs);
}

/** The demo may still be making its match ready. */
async function openDemo(me: DemoClient): Promise<DemoRoom> {
  for (;;) {
    try {
      return await me.room();
    } catch (error) {
      if (!(error instanceof DemoError && error.status === 503)) throw error;
      write(byId('match-state'), 'The match is being prepared');
      await new Promise((resolve) => setTimeout(resolve, clockMs));
    }
  }
}

async function readMatch(file: string): Promise<PageMatch> {
  const path = document.querySelector<HTMLMetaElement>(`meta[name="match-${file}"]`)?.content;
  if (!path) throw new Error(`This page was built without the match ${file}.`);
  return (await (await fetch(path)).json()) as PageMatch;
}

async function askDemo(state: Page, changed: () => void): Promise<void> {
  if (document.hidden || state.line.down) return;
  try {
    const demo = await state.me.room();
    if (demo.contest !== state.demo.contest) location.reload();
    state.demo = demo;
    changed();
  } catch {
    // the gateway's own state is on show; the demo's comes back with it
  }
}

function createDraw(state: Page, changed: () => void): () => void {
  const { me, page, line, follows, room } = state;
  const { contest, match } = room;
  const scoreboard = createScoreboardView(page, () => me.playNext().catch(notifyError));
  const picker = createPickerView(page, (team) => enter(state, team));
  const teams = createTeamsView(page, room.history, () => picker.open(match.players));
  const board = createBoardView(follows);
  const players = createPlayersView(page);
  const people = createPeopleView(follows);
  const connection = createConnectionView({
    cut: () => {
      line.cut();
      changed();
    },
    mend: () => {
      line.mend();
      changed();
    },
    dismiss: () => {
      room.absence.dismiss();
      changed();
    },
  });
  return () => {
    const final = match.final || (contest.board?.final ?? false);
    scoreboard.show({ ball: room.balls.last, final, next: final ? state.demo.next : null });
    teams.show({
      entries: room.told ? contest.entries : null,
      total: contest.board?.total ?? 0,
      prizes: contest.board?.prizes ?? 0,
      scoreStep: contest.board?.scoreStep ?? 1,
      held: contest.held,
      ranksVersion: contest.ranksVersion,
      final,
      playerPoints: match.players,
    });
    board.show(contest.board, me.user);
    players.show(match.players, contest.entries);
    people.show(state.demo.people);
    connection.show({
      status: room.client.status,
      cut: line.down,
      awaySince: room.awaySince,
      live: contest.status === 'live' && match.status === 'live',
      stale: contest.board?.stale ?? false,
      version: contest.version,
      latencyMs: typicalLatencyMs(room),
      report: room.absence.report,
      teamName: (entry) => `Team ${contest.entries.findIndex((own) => own.entry === entry) + 1}`,
    });
  };
}

/** Resolves when the team stands in the room with its rank; then it is shown and told. */
async function enter({ me, room }: Page, team: TeamChoice): Promise<void> {
  const { contest } = room;
  const { entry } = await me.enter(team);
  const rank = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error('The team is in, but its rank has not come yet. It appears as soon as it does.'));
    }, 8_000);
    const look = (): void => {
      const own = contest.entries.find((one) => one.entry === entry)?.rank;
      if (own === undefined || own === null) return;
      stop();
      resolve(own);
    };
    const offs = [contest.on('ranks', look), contest.on('board', look)];
    function stop(): void {
      clearTimeout(timer);
      for (const off of offs) off();
    }
    look();
  });
  notify(`Your team is in: rank ${count(rank)} of ${count(contest.board?.total ?? 0)}`, 'good');
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`.team[data-entry="${entry}"]`)?.focus({ preventScroll: false });
  });
}

start().catch((error: unknown) => {
  const words = error instanceof Error ? error.message : String(error);
  document.documentElement.dataset['line'] = 'closed';
  write(byId('line-state'), 'Not connected');
  const again = element('button', { type: 'button', class: 'button primary' }, 'Try again');
  again.addEventListener('click', () => location.reload());
  byId('main').replaceChildren(
    element(
      'section',
      { class: 'card problem', role: 'alert' },
      element('h2', {}, 'The room cannot be opened'),
      element('p', {}, words),
      again,
    ),
  );
});
