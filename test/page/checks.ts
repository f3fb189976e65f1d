/** What the page must show during a match. Each check is one sentence; they run in order, in one demo. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { type Client, connect } from '../../client/client.ts';
import type { DemoProcess } from '../../demo/demo-process.ts';
import { putFollow } from '../../demo/gateway-api.ts';
import type { ModelTeam } from '../model/brute-force.ts';
import type { Field } from './field.ts';
import { enterTeam, openWindow, type RoomWindow, type Shown } from './room-window.ts';

export interface Scene {
  browser: Browser;
  demo: DemoProcess;
  field: Field;
  /** Teams that the demo seeded. */
  teams: number;
  first: RoomWindow;
  second: RoomWindow;
}
export type Check = [sentence: string, run: (scene: Scene) => Promise<void>];

const contest = 'final-2019';
const triesMax = 40;

export const checks: Check[] = [
  ['rows of the leaderboard glide to new places', rowsMove],
  ['a team that is entered has its rank among everyone at once', entering],
  ['an own rank changes, and agrees with the HTTP interface', ownRank],
  ['an own rank agrees with brute force', bruteForce],
  ['the line of a team has the rank of each ball', lineOfRanks],
  ['a follow in one window appears in the other', followAcross],
  ['a cut connection comes back with nothing missing, and says what was missed', cutAndBack],
  ['a window that is loaded again is the same user with the same teams', loadedAgain],
  ['everything can be done with the keyboard alone', keyboardAlone],
];

async function rowsMove({ first }: Scene): Promise<void> {
  const before = await first.read();
  let glided = false;
  const moved = (shown: Shown): boolean => shown.rows.join() !== before.rows.join();
  for (let tries = 0; tries < 400; tries++) {
    glided ||= await first.page.evaluate(() =>
      document.getAnimations().some((animation) => {
        const effect = animation.effect as KeyframeEffect | null;
        const row = effect?.target?.closest('#board-rows > li');
        return row && effect?.getKeyframes().some(({ transform }) => transform && transform !== 'none');
      }),
    );
    if (glided && moved(await first.read())) return;
    await first.page.waitForTimeout(50);
  }
  assert.fail(`no row glided (${glided}) or the order stayed`);
}

async function entering({ first, second, teams }: Scene): Promise<void> {
  const asked = Date.now();
  const team = await enterTeam(first);
  assert.ok(team.rank >= 1 && team.rank <= teams + 2, `rank ${team.rank}`);
  assert.ok(Date.now() - asked < 10_000);
  await first.until('the total counts it', ({ total }) => total.startsWith((teams + 1).toLocaleString('en')));
  await enterTeam(second);
  const shown = await first.until('the number has run to its rank', ({ teams: [own] }) => {
    return own !== undefined && own.text === own.rank.toLocaleString('en');
  });
  assert.equal(shown.teams.length, 1);
}

/** The page and the HTTP interface, at the same version. */
async function agree({ demo }: Scene, window: RoomWindow): Promise<Shown> {
  const client = await clientOf(demo, window.user);
  try {
    for (let tries = 0; tries < triesMax; tries++) {
      const shown = await window.read();
      const entries = shown.teams.map(({ entry }) => entry);
      const answer = await client.ranks(contest, entries);
      if (shown.held || answer.version !== shown.ranksVersion) {
        await window.page.waitForTimeout(70);
        continue;
      }
      assert.deepEqual(
        shown.teams.map(({ entry, score, rank }) => ({ entry, score, rank })),
        answer.ranks.map(({ entry, score, rank }) => ({ entry, score, rank })),
      );
      return shown;
    }
  } finally {
    client.close();
  }
  return assert.fail('the page and the HTTP interface never stood at the same version');
}

async function clientOf(demo: DemoProcess, user: string): Promise<Client> {
  return connect({ url: demo.url, token: await demo.token(user), WebSocket });
}

async function ownRank(scene: Scene): Promise<void> {
  const { first } = scene;
  const before = await agree(scene, first);
  await first.until('the rank changes', ({ teams }) => teams[0]?.rank !== before.teams[0]?.rank, 60_000);
  await agree(scene, first);
}

/** Own teams as the page lists them, with the eleven behind "The eleven". */
async function ownTeams(demo: DemoProcess, window: RoomWindow): Promise<ModelTeam[]> {
  const client = await clientOf(demo, window.user);
  const room = client.contest(contest);
  await new Promise<void>((resolve) => {
    const off = room.on('entries', () => {
      off();
      resolve();
    });
  });
  const teams = room.entries.map(({ entry, players, captain, viceCaptain }) => ({
    entry,
    user: window.user,
    players: players ?? [],
    captain: captain ?? '',
    viceCaptain: viceCaptain ?? '',
  }));
  client.close();
  return teams;
}

async function bruteForce({ first, second, demo, field }: Scene): Promise<void> {
  const own = [...(await ownTeams(demo, first)), ...(await ownTeams(demo, second))];
  for (let tries = 0; tries < triesMax; tries++) {
    const before = await first.read();
    // a ball's records may come in two versions: what stands still has both
    await first.page.waitForTimeout(250);
    const shown = await first.read();
    if (shown.held || shown.version !== before.version || shown.label !== before.label) continue;
    if (shown.ranksVersion !== shown.version) continue;
    const expected = field.standing(shown.label, own);
    for (const { entry, score, rank } of shown.teams) {
      assert.deepEqual(
        { entry, score, rank },
        expected.find((team) => team.entry === entry),
        `after ball ${shown.label}`,
      );
    }
    return;
  }
  assert.fail('the page never stood still for a moment');
}

/** What a window that is left keeps for its next load: [entry, [{ball, rank}]]. */
async function lineOfRanks({ first, demo, field }: Scene): Promise<void> {
  const own = await ownTeams(demo, first);
  await first.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')));
  const kept = await first.page.evaluate(() => {
    const key = Object.keys(sessionStorage).find((name) => name.startsWith('rankcast.history.'));
    return sessionStorage.getItem(key ?? '') ?? '[]';
  });
  const lines = JSON.parse(kept) as [string, { ball: number; rank: number }[]][];
  const line = lines.find(([entry]) => entry === own[0]?.entry)?.[1] ?? [];
  // other windows' teams came in meanwhile; the last ball may have moved since
  const said = line.slice(0, -1).filter(({ ball }) => ball >= 0);
  assert.ok(said.length >= 3, `${said.length} balls`);
  for (const { ball, rank } of said) {
    const [expected] = field.standingAfter(ball, own.slice(0, 1));
    const slack = 3;
    assert.ok(
      Math.abs(rank - (expected?.rank ?? 0)) <= slack,
      `ball ${ball}: rank ${rank}, expected ${expected?.rank}`,
    );
  }
}

async function followAcross({ first, second }: Scene): Promise<void> {
  await first.page.locator(`#others [data-follow="${second.user}"]`).click();
  await second.until('the follower appears', ({ followers }) => followers[0] === first.user);
  const state = first.page.locator(`#others [data-follow="${second.user}"]`);
  await state.and(first.page.locator('[aria-pressed="true"][aria-busy="false"]')).waitFor();
  await state.click();
  await second.until('the follower is gone', ({ followers }) => !followers.includes(first.user));
}

async function cutAndBack(scene: Scene): Promise<void> {
  const { first, demo } = scene;
  const { page } = first;
  await page.locator('#cut').click();
  const cut = await first.until('it is cut', ({ line }) => line === 'cut');
  await page.waitForTimeout(300);
  const still = await first.read();
  const follower = '4037';
  await putFollow({ url: demo.url, tokenOf: demo.token }, follower, first.user);
  const client = await clientOf(demo, first.user);
  for (let tries = 0; ; tries++) {
    const { version } = await client.ranks(contest, [cut.teams[0]?.entry ?? '']);
    if (version > still.version + 8) break;
    assert.ok(tries < 200, 'the match stands still');
    await page.waitForTimeout(100);
  }
  client.close();
  const away = await first.read();
  assert.equal(away.version, still.version);
  assert.deepEqual(away.teams, still.teams);
  assert.ok(!away.followers.includes(follower));

  await page.locator('#cut').click();
  await first.until('it is live again', ({ line }) => line === 'live');
  await first.until('the follower was not missed', ({ followers }) => followers.includes(follower));
  const report = page.locator('.report');
  await report.waitFor();
  assert.ok(Number(await report.getAttribute('data-versions')) >= 8);
  await page.locator('.report:not([data-followers="0"])').waitFor();
  assert.match((await report.textContent()) ?? '', /Nothing was lost/);
  await agree(scene, first);
  await report.getByRole('button', { name: 'Got it' }).click();
}

async function loadedAgain(scene: Scene): Promise<void> {
  const { first } = scene;
  const before = await first.read();
  await first.page.reload();
  const after = await first.until('the teams are back', ({ teams }) => (teams[0]?.rank ?? 0) > 0);
  assert.deepEqual(
    after.teams.map(({ entry }) => entry),
    before.teams.map(({ entry }) => entry),
  );
  await agree(scene, first);
}

/** Tab, Space and Enter: a team is picked by hand, entered, and a fan followed. */
async function keyboardAlone({ browser, demo }: Scene): Promise<void> {
  const window = await openWindow(browser, demo.url);
  const { page } = window;
  const { keyboard } = page;
  const reach = async (selector: string): Promise<void> => {
    for (let presses = 0; presses < 150; presses++) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await keyboard.press('Tab');
    }
    assert.fail(`Tab never reaches ${selector}`);
  };
  await keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip');
  await reach('[data-pick].button');
  await keyboard.press('Enter');
  for (let player = 0; player < 11; player++) {
    await reach('#picker input[type="checkbox"]:not(:checked)');
    await keyboard.press('Space');
  }
  await page.locator('#picker li').first().locator('input[type="checkbox"]').focus();
  await reach('#picker input[name="captain"]:not(:disabled)');
  await keyboard.press('Space');
  await reach('#picker input[name="vice"]:not(:disabled):not(:checked)');
  await keyboard.press('ArrowDown');
  await reach('#picker-enter');
  await keyboard.press('Enter');
  await window.until('the team has a rank', ({ teams }) => (teams[0]?.rank ?? 0) > 0);
  await reach('#board-rows .follow');
  await keyboard.press('Enter');
  await page.locator('#board-rows .follow[aria-pressed="true"]').first().waitFor();
  assert.deepEqual(window.faults, []);
  await window.close();
}
