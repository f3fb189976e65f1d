import { ContestMirror } from '../../channels/contest/contest-mirror.ts';
import {
  decodeContestFrame,
  encodeContestFrame,
  encodeMatchFrame,
} from '../../channels/contest/message-codec.ts';
import { createRanking } from '../../workers/ranker/create-ranking.ts';
import { Random } from '../model/random.ts';
import { type Bench, noTimes, quantile, timed } from './bench.ts';
import { redisFanout } from './redis-fanout.ts';
import { createTeamMaker, fillMatch } from './teams.ts';

/**
 * Bytes of a ranker's frames on the bus, as every edge process that follows the contest or match receives
 * them: what `rankcast plan` reckons with. TEAMS: entries in the contest, a million unless given.
 */
const teams = Number(process.env['TEAMS'] ?? 1_000_000);
const rounds = 200;

export const busFramesBench: Bench = {
  name: 'bus-frames',
  about:
    `Frames of a contest of ${teams.toLocaleString('en')} teams of 22 players and of its match, late: ` +
    `${rounds} ticks.`,
  async run(add) {
    const maker = createTeamMaker(22, 1);
    const ranking = createRanking({ entriesPerMatchMax: teams, entriesPerContestMax: teams });
    fillMatch(ranking, maker, teams, ['c'], () => ['c']);
    ranking.watchContest('c');
    ranking.takeMatchFrame('m');
    const random = new Random(2);
    const totals = maker.players.map(() => 0);
    let at = 10_000;
    const points = (player: number): void => {
      at += 1;
      totals[player] = (totals[player]! + random.between(1, 60) / 2) % 150;
      const record = { type: 'points', id: 'p', at, match: 'm', points: totals[player] } as const;
      ranking.apply(ranking.version, { ...record, player: maker.players[player]! });
    };
    // late in a match: everybody has something, and distinct scores are many
    for (let i = 0; i < 4 * totals.length; i += 1) points(i % totals.length);
    for (const changed of [1, 5]) {
      const contest: number[] = [];
      const match: number[] = [];
      const taking = noTimes();
      const mirror = new ContestMirror(ranking.snapshotContest('c')!);
      for (let round = 0; round < rounds; round += 1) {
        for (let player = 0; player < changed; player += 1) points(player);
        const bytes = encodeContestFrame(ranking.takeContestFrame('c'));
        contest.push(bytes.byteLength);
        timed(() => mirror.take(decodeContestFrame(bytes)), taking);
        mirror.rankOf(1_000);
        match.push(encodeMatchFrame(ranking.takeMatchFrame('m')).byteLength);
      }
      const row = (what: string, bytes: readonly number[]): void =>
        add({
          what: `${what}, ${changed} player${changed === 1 ? '' : 's'} changed`,
          measured: `${quantile(bytes, 0.5)} / ${quantile(bytes, 0.99)} bytes (p50 / p99)`,
          beside: '',
          target: '',
        });
      row('contest frame', contest);
      row('match frame', match);
      add({
        what: `such a contest frame taken by an edge, ${changed} changed`,
        measured: `processor ${(quantile(taking.cpu, 0.5) * 1_000).toFixed(0)} µs (p50)`,
        beside: '',
        target: '',
      });
    }
    for (const subscribers of [10, 40]) {
      const micros = await redisFanout(10_000, subscribers, 500);
      add({
        what: `Redis delivering 10,000 bytes to one of ${subscribers} subscribers`,
        measured: micros === null ? 'no redis-server on the PATH' : `processor ${micros.toFixed(1)} µs`,
        beside: '',
        target: '',
      });
    }
  },
};
