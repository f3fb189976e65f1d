/**
 * A contest in which nothing happens, in a partition in which much does: whoever joins it has own ranks at
 * once, though the ranker answers at versions that this contest never comes to.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ContestEvent } from '../../proto/records.ts';
import { Gateway } from './gateway.ts';
import { allReach, Viewer } from './viewers.ts';

const gateway = new Gateway(['--partitions', '1']);
const at = Date.now();

before(() => gateway.start());
after(() => gateway.remove());

const entry = (contest: string, name: string, user: string) => ({ entry: name, user, contests: [contest] });
const foundation: ContestEvent[] = [
  { type: 'contest', id: 'c1', at, contest: 'quiet', kind: 'scores' },
  { type: 'contest', id: 'c2', at, contest: 'busy', kind: 'scores' },
  {
    type: 'entries',
    id: 'e1',
    at,
    contest: 'quiet',
    entries: [entry('quiet', 'a', 'ann'), entry('quiet', 'b', 'ben')],
  },
  { type: 'entries', id: 'e2', at, contest: 'busy', entries: [entry('busy', 'x', 'eve')] },
  { type: 'score', id: 's1', at, contest: 'quiet', entry: 'b', score: 5 },
];

test('who joins a quiet contest has own ranks while other contests go on', async () => {
  const { versions } = await gateway.ingest('contest-events', foundation);
  const quiet = versions.find(({ key }) => key === 'quiet')?.version ?? 0;
  let busy = true;
  const traffic = (async () => {
    for (let score = 1; busy; score += 1) {
      const record = { type: 'score', id: `t${score}`, at: at + score, contest: 'busy', entry: 'x', score };
      await gateway.ingest('contest-events', [record]);
    }
  })();
  try {
    for (let round = 0; round < 10; round += 1) {
      const encoding = round % 2 === 0 ? 'msgpack' : 'json';
      const viewer = new Viewer(gateway, 'ann', ['quiet'], { encoding });
      await allReach([viewer], quiet);
      const mine = viewer.rooms.get('quiet')?.entries.map(({ entry, score, rank }) => [entry, score, rank]);
      assert.deepEqual(mine, [['a', 0, 2]]);
      viewer.close();
    }
  } finally {
    busy = false;
    await traffic;
  }
});
