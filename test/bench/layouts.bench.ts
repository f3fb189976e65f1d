import {
  addBitsNarrow,
  addPairs,
  countNarrow,
  laneSize,
  narrowBias,
  pairDeltas,
} from '../../workers/ranker/score-loops.ts';
import { Random } from '../model/random.ts';
import { type Bench, noTimes, timed, timesOf } from './bench.ts';
import { createTeamMaker } from './teams.ts';

/**
 * The ranker's layouts that were weighed (docs/decisions/0002-ranker-layout.md), reduced to their loops:
 * what one record of a player in 55 % of the teams costs until the counts are right, and what a tick of five
 * costs.
 */
const teams = Number(process.env['TEAMS'] ?? 1_000_000);
const rounds = 60;
const warmUp = 20;
const playerCount = 22;
const chunkSize = 65_536;
const words = chunkSize / 32;
interface Layout {
  what: string;
  bytesPerTeam: number;
  /** Adds to the scores of the player's teams. */
  points(player: number, steps: number): void;
  /** Makes the counts right. */
  count(): void;
}

interface Data {
  teams: Uint8Array;
  /** Scores as the ranker has them, and the same memory in pairs. */
  chunks: Uint16Array[];
  pairs: Int32Array[];
  /** In one piece, for layouts without chunks. */
  flat: Uint16Array;
  /** By chunk, then player * 3 + role. */
  rows: Uint32Array[][];
  /** Which entries of a chunk there are. */
  masks: Uint32Array[];
}

function makeData(): Data {
  const maker = createTeamMaker(playerCount, 1);
  const count = Math.ceil(teams / chunkSize);
  const rowsOf = () => Array.from({ length: playerCount * 3 }, () => new Uint32Array(words));
  const chunks = Array.from({ length: count }, () => new Uint16Array(chunkSize).fill(narrowBias));
  const data: Data = {
    teams: new Uint8Array(teams * 11),
    chunks,
    pairs: chunks.map(({ buffer }) => new Int32Array(buffer)),
    flat: new Uint16Array(teams).fill(narrowBias),
    rows: Array.from({ length: count }, rowsOf),
    masks: Array.from({ length: count }, () => new Uint32Array(words)),
  };
  for (let entry = 0; entry < teams; entry += 1) {
    data.masks[entry >>> 16]![(entry & 65_535) >>> 5]! |= 1 << (entry & 31);
    maker.next().forEach((player, i) => {
      data.teams[entry * 11 + i] = player;
      const row = data.rows[entry >>> 16]![player * 3 + (i === 0 ? 2 : i === 1 ? 1 : 0)]!;
      row[(entry & 65_535) >>> 5]! |= 1 << (entry & 31);
    });
  }
  return data;
}

function addBitsAndCount(scores: Uint16Array, row: Uint32Array, delta: number, counts: Int32Array): void {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      const index = base + 31 - Math.clz32(lowest);
      const score = scores[index]!;
      scores[index] = score + delta;
      counts[score]! -= 1;
      counts[score + delta]! += 1;
      bits ^= lowest;
    }
  }
}

function addEvery(scores: Uint16Array, row: Uint32Array, delta: number): void {
  for (let word = 0, i = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    for (const end = i + 32; i < end; i += 1) {
      scores[i]! += delta & -(bits & 1);
      bits >>>= 1;
    }
  }
}

function addListed(scores: Uint16Array, list: Uint32Array, delta: number): void {
  for (let i = 0; i < list.length; i += 1) scores[list[i]!]! += delta;
}

function countOneLane(scores: Uint16Array, size: number, counts: Int32Array): void {
  for (let i = 0; i < size; i += 1) counts[scores[i]!]! += 1;
}

function rescore(data: Data, totals: Int32Array, counts: Int32Array): void {
  for (let entry = 0, at = 0; entry < teams; entry += 1, at += 11) {
    let score = 4 * totals[data.teams[at]!]! + 3 * totals[data.teams[at + 1]!]!;
    for (let i = 2; i < 11; i += 1) score += 2 * totals[data.teams[at + i]!]!;
    counts[score + narrowBias]! += 1;
  }
}

type Visit = (chunk: Uint16Array, row: Uint32Array, weight: number) => void;

function overRows(data: Data, player: number, visit: Visit): void {
  data.chunks.forEach((chunk, at) => {
    for (let role = 0; role < 3; role += 1) visit(chunk, data.rows[at]![player * 3 + role]!, role + 2);
  });
}

function layouts(data: Data): Layout[] {
  const counts = new Int32Array(4 * laneSize);
  const bytesPerTeam = (playerCount * 3) / 8 + 2;
  const count = (): void => {
    counts.fill(0);
    data.chunks.forEach((chunk, at) => {
      countNarrow(chunk, data.pairs[at]!, data.masks[at]!, counts);
    });
  };
  const bits = (player: number, steps: number): void =>
    overRows(data, player, (chunk, row, weight) => addBitsNarrow(chunk, row, steps * weight));
  return [
    {
      what: 'bits, two scores at a time, counted at the tick in four lanes (chosen)',
      bytesPerTeam,
      points: (player, steps) => {
        const deltas = pairDeltas(2 * steps, 3 * steps, 4 * steps);
        data.pairs.forEach((pairs, at) => {
          const [plain, vice, captain] = data.rows[at]!.slice(player * 3, player * 3 + 3);
          addPairs(pairs, plain!, vice!, captain!, deltas);
        });
      },
      count,
    },
    {
      what: 'bits, one score at a time, counted at the tick in four lanes',
      bytesPerTeam,
      points: bits,
      count,
    },
    {
      what: 'bits, one score at a time, counted at the tick in one lane',
      bytesPerTeam,
      points: bits,
      count: () => {
        counts.fill(0);
        data.chunks.forEach((chunk, at) => {
          countOneLane(chunk, Math.min(chunkSize, teams - at * chunkSize), counts);
        });
      },
    },
    {
      what: 'bits, one score at a time, counts moved with each',
      bytesPerTeam,
      points: (player, steps) =>
        overRows(data, player, (chunk, row, weight) => addBitsAndCount(chunk, row, steps * weight, counts)),
      count: () => {},
    },
    {
      what: 'bits, every score added to without a branch, counted at the tick in four lanes',
      bytesPerTeam,
      points: (player, steps) =>
        overRows(data, player, (chunk, row, weight) => addEvery(chunk, row, steps * weight)),
      count,
    },
    ...otherLayouts(data, counts),
  ];
}

/** Those without bits. */
function otherLayouts(data: Data, counts: Int32Array): Layout[] {
  const totals = new Int32Array(playerCount);
  const lists = listsOf(data);
  return [
    {
      what: 'lists of team numbers by player and role, counted at the tick in one lane',
      bytesPerTeam: 11 * 4 + 2,
      points: (player, steps) => {
        for (let role = 0; role < 3; role += 1) {
          addListed(data.flat, lists[player * 3 + role]!, steps * (role + 2));
        }
      },
      count: () => {
        counts.fill(0);
        countOneLane(data.flat, teams, counts);
      },
    },
    {
      what: 'teams of eleven bytes, every score added up anew at the tick',
      bytesPerTeam: 11,
      points: (player, steps) => {
        totals[player]! += steps;
      },
      count: () => {
        counts.fill(0);
        rescore(data, totals, counts);
      },
    },
  ];
}

function listsOf(data: Data): Uint32Array[] {
  const lists: number[][] = Array.from({ length: playerCount * 3 }, () => []);
  for (let entry = 0; entry < teams; entry += 1) {
    for (let i = 0; i < 11; i += 1) {
      lists[data.teams[entry * 11 + i]! * 3 + (i === 0 ? 2 : i === 1 ? 1 : 0)]!.push(entry);
    }
  }
  return lists.map((list) => Uint32Array.from(list));
}

export const layoutsBench: Bench = {
  name: 'layouts',
  about: `Layouts for ${teams.toLocaleString('en')} teams: p50 / p99 of ${rounds} rounds, to exact counts.`,
  async run(add) {
    for (const { what, bytesPerTeam, points, count } of layouts(makeData())) {
      const random = new Random(4);
      const one = noTimes();
      const five = noTimes();
      for (let round = -warmUp; round < rounds; round += 1) {
        const steps = round % 2 === 0 ? 3 : -3;
        const player = 5 + random.below(3);
        timed(
          () => {
            points(player, steps);
            count();
          },
          ...(round < 0 ? [] : [one]),
        );
        timed(
          () => {
            for (let popular = 0; popular < 5; popular += 1) points(popular, steps);
            count();
          },
          ...(round < 0 ? [] : [five]),
        );
      }
      add({
        what: `${what} (${bytesPerTeam.toFixed(1)} bytes a team): one record`,
        ...timesOf(one),
        target: '',
      });
      add({ what: `${what}: five`, ...timesOf(five), target: '' });
    }
  },
};
