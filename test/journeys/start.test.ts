import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { type Client, connect } from '../../client/client.ts';
import type { ContestRoom } from '../../client/contest-room.ts';
import { readBundledMatch, readFollows } from '../../demo/bundled.ts';
import { usersByFollowers } from '../../demo/fans.ts';
import { seededTeams } from '../../demo/teams.ts';
import { ballsOf, leaderboard, pointsAfter, type RawMatch } from '../model/brute-force.ts';
import { readTestFile } from '../model/test-files.ts';

const script = fileURLToPath(new URL('../../demo/start.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rankcast-start-'));
const running = new Set<ChildProcess>();
after(async () => {
  // only where a comparison failed before its demo was stopped
  for (const child of running) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Demo {
  child: ChildProcess;
  lines: string[];
  /** Resolves with the first line (printed already or not) that matches. */
  line(pattern: RegExp): Promise<string>;
}

function start(...flags: string[]): Demo {
  const child = spawn(process.execPath, [script, '--folder', join(folder, 'demo'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((one) => pattern.test(one));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      child.once('exit', () => reject(new Error(`the demo ended before ${pattern}`)));
      look();
    });
  return { child, lines, line };
}

async function stop({ child }: Demo): Promise<void> {
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
}

async function watcher(demo: Demo): Promise<Client> {
  const command = await demo.line(/--url ws:/);
  const [, url, token] = /--url (\S+) --token (\S+)/.exec(command) ?? [];
  return connect({ url: url ?? '', token: token ?? '', WebSocket });
}

/** Resolves when the contest is final and own ranks are exact as of its board. */
function finished(room: ContestRoom): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (room.board?.final && !room.held && room.ranksVersion === room.version) resolve();
    };
    room.on('board', look);
    room.on('ranks', look);
  });
}

test('the demo starts, stops, goes on where it was, and every rank is what the model says', async () => {
  const flags = ['--port', '0', '--teams', '300', '--small-contests', '3', '--fans', '20'];
  const first = start(...flags, '--speed', '50');
  await first.line(/^1\.3\.2 /);
  await stop(first);
  assert.ok(!first.lines.some((line) => line.startsWith('The match is over')));

  const second = start(...flags, '--speed', '0');
  const client = await watcher(second);
  const room = client.contest('final-2019');
  const follower = new Promise((resolve) => client.feed().on('message', resolve));
  await Promise.all([finished(room), second.line(/^The match is over/)]);
  assert.ok(!second.lines.some((line) => line.startsWith('1.0.')), 'it began anew');

  const raw = JSON.parse(readTestFile('matches/ipl-2019-final-1181768.json')) as RawMatch;
  const balls = ballsOf(raw);
  const players = readBundledMatch('final-2019').players.map(({ id }) => id);
  const users = usersByFollowers(readFollows());
  const teams = seededTeams({ seed: 2019, count: 300, players, userOf: (n) => users[n] ?? `u${n + 1}` });
  const rows = leaderboard(teams, pointsAfter(raw, balls, balls.length - 1));
  const page = await client.page('final-2019', 0, { minVersion: room.version });
  assert.deepEqual(
    page.rows,
    rows.map(({ rank, entry, score }) => ({ rank, entry, score })),
  );
  assert.deepEqual(
    room.board?.top,
    rows
      .slice(0, room.board?.top.length)
      .map(({ rank, entry, score, user }) => ({ rank, entry, score, user })),
  );
  assert.ok(room.entries.length > 0);
  for (const { entry, score, rank } of room.entries) {
    assert.deepEqual([score, rank], [page.rows.find((row) => row.entry === entry)?.score, rankOf(entry)]);
  }
  function rankOf(entry: string): number | undefined {
    return rows.find((row) => row.entry === entry)?.rank;
  }
  await follower;
  client.close();
  await stop(second);
});
