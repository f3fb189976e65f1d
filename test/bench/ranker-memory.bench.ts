import { createRanking } from '../../workers/ranker/create-ranking.ts';
import { type Bench, bytesInUse } from './bench.ts';
import { createTeamMaker, fillMatch } from './teams.ts';

/**
 * Everything a ranker keeps for the entries of one match: typed arrays and heap, in use after collecting
 * garbage, less what was in use before. Entry and user ids of twelve bytes, every entry of another user.
 * Changes are taken for checkpoints as the process does, not kept. TEAMS: entries in the match.
 */
const teams = Number(process.env['TEAMS'] ?? 2_000_000);

interface Shape {
  what: string;
  players: number;
  contests: string[];
  contestsOf: (team: number) => string[];
}

const smallContests = Array.from({ length: 30_000 }, (_, i) => `small-${i}`);
const shapes: readonly Shape[] = [
  { what: '22 players, one contest', players: 22, contests: ['c'], contestsOf: () => ['c'] },
  { what: '30 players, one contest', players: 30, contests: ['c'], contestsOf: () => ['c'] },
  {
    what: '22 players, half in one contest, half of these in one of 30,000 small ones besides',
    players: 22,
    contests: ['c', ...smallContests],
    contestsOf: (team) => {
      if (team % 2 === 0) return ['c'];
      const small = smallContests[(team >>> 1) % smallContests.length]!;
      return team % 4 === 1 ? [small] : ['c', small];
    },
  },
];

function memoryBench(shape: Shape, no: number): Bench {
  return {
    name: `ranker-memory-${no}`,
    about: `A ranker with ${teams.toLocaleString('en')} entries in one match: ${shape.what}.`,
    async run(add) {
      const before = bytesInUse();
      const ranking = createRanking({ entriesPerMatchMax: teams, entriesPerContestMax: teams });
      const maker = createTeamMaker(shape.players, 1);
      fillMatch(ranking, maker, teams, shape.contests, shape.contestsOf, () => {
        if (ranking.segmentBytes > 8 * 1024 * 1024) ranking.checkpoint();
      });
      ranking.checkpoint();
      ranking.watchContest('c');
      const player = maker.players[0]!;
      ranking.apply(ranking.version, { type: 'points', id: 'p', at: 9_999, match: 'm', player, points: 7 });
      ranking.takeContestFrame('c');
      const bytes = (bytesInUse() - before) / teams;
      const measured = `${bytes.toFixed(1)} bytes`;
      add({ what: 'memory per entry', measured, beside: '24 bytes of ids', target: '<= 64 bytes' });
      if (ranking.contest('c')!.total === 0) throw new Error('nobody is in the contest');
    },
  };
}

export const rankerMemoryBenches: readonly Bench[] = shapes.map((shape, i) => memoryBench(shape, i + 1));
