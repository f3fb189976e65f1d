import { Random } from '../model/random.ts';
import { type Bench, noTimes, timed, timesOf } from './bench.ts';
import { createTeamMaker } from './teams.ts';

/**
 * The ranker's layouts that were weighed (docs/decisions/0002-ranker-layout.md), reduced to their loops: what one record
 * of a player in 55 % of the teams costs until the counts are right, and what a tick of five costs.
 */
const teams = Number(process.env['TEAMS'] ?? 1_000_000);
const rounds = 60;
const warmUp = 20;
const playerCount = 22;
const chunkSize = 65_536;
const words = chunkSize / 32;
/** Scores are counted from this on. */
const low = -8_192;
const range = 16_384;

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
  chunks: Int16Array[];
  flat: Int16Array;
  /** By chunk, then player * 3 + role. */
  rows: Uint32Array[][];
}

function makeData(): Data {
  const maker = createTeamMaker(playerCount, 1);
  const count = Math.ceil(teams / chunkSize);
  const rowsOf = () => Array.from({ length: playerCount * 3 }, () => new Uint32Array(words));
  const data: Data = {
    teams: new Uint8Array(teams * 11),
    chunks: Array.from({ length: count }, () => new Int16Array(chunkSize)),
    flat: new Int16Array(teams),
    rows: Array.from({ length: count }, rowsOf),
  };
  for (let entry = 0; entry < teams; entry += 1) {
    maker.next().forEach((player, i) => {
      data.teams[entry * 11 + i] = player;
      const row = data.rows[entry >>> 16]![player * 3 + (i === 0 ? 2 : i === 1 ? 1 : 0)]!;
      row[(entry & 65_535) >>> 5]! |= 1 << (entry & 31);
    });
  }
  return data;
}

/** The loop of `addToHolders`, with what is done to each score. */
function addBits(scores: Int16Array, row: Uint32Array, delta: number): void {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      scores[base + 31 - Math.clz32(lowest)]! += delta;
      bits ^= lowest;
    }
  }
}

function addBitsAndCount(scores: Int16Array, row: Uint32Array, delta: number, counts: Int32Array): void {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      const index = base + 31 - Math.clz32(lowest);
      const score = scores[index]!;
      scores[index] = score + delta;
      counts[score - low]! -= 1;
      counts[score + delta - low]! += 1;
      bits ^= lowest;
    }
  }
}

function addEvery(scores: Int16Array, row: Uint32Array, delta: number): void {
  for (let word = 0, i = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    for (const end = i + 32; i < end; i += 1) {
      scores[i]! += delta & -(bits & 1);
      bits >>>= 1;
    }
  }
}

function addListed(scores: Int16Array, list: Uint32Array, delta: number): void {
  for (let i = 0; i < list.length; i += 1) scores[list[i]!]! += delta;
}

function countOne(scores: Int16Array, size: number, counts: Int32Array): void {
  for (let i = 0; i < size; i += 1) counts[scores[i]! - low]! += 1;
}

function countFour(scores: Int16Array, size: number, counts: Int32Array): void {
  const second = range - low;
  const third = 2 * range - low;
  const fourth = 3 * range - low;
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    counts[scores[i]! - low]! += 1;
    counts[scores[i + 1]! + second]! += 1;
    counts[scores[i + 2]! + third]! += 1;
    counts[scores[i + 3]! + fourth]! += 1;
  }
  for (; i < size; i += 1) counts[scores[i]! - low]! += 1;
}

function rescore(data: Data, totals: Int32Array, counts: Int32Array): void {
  for (let entry = 0, at = 0; entry < teams; entry += 1, at += 11) {
    let score = 4 * totals[data.teams[at]!]! + 3 * totals[data.teams[at + 1]!]!;
    for (let i = 2; i < 11; i += 1) score += 2 * totals[data.teams[at + i]!]!;
    counts[score - low]! += 1;
  }
}

function overRows(
  data: Data,
  player: number,
  visit: (chunk: Int16Array, row: Uint32Array, weight: number) => void,
): void {
  data.chunks.forEach((chunk, at) => {
    for (let role = 0; role < 3; role += 1) visit(chunk, data.rows[at]![player * 3 + role]!, role + 2);
  });
}

function layouts(data: Data): Layout[] {
  const counts = new Int32Array(4 * range);
  const totals = new Int32Array(playerCount);
  const lists = listsOf(data);
  const bitBytes = (playerCount * 3) / 8;
  const sizeOf = (at: number): number => Math.min(chunkSize, teams - at * chunkSize);
  const countAll = (count: typeof countOne) => () => {
    counts.fill(0);
    data.chunks.forEach((chunk, at) => {
      count(chunk, sizeOf(at), counts);
    });
  };
  const bits = (player: number, steps: number): void =>
    overRows(data, player, (chunk, row, weight) => addBits(chunk, row, steps * weight));
  const none = (): void => {};
  countAll(countOne)();
  return [
    {
      what: 'bits, counted at the tick in four lanes (chosen)',
      bytesPerTeam: bitBytes + 2,
      points: bits,
      count: countAll(countFour),
    },
    {
      what: 'bits, counted at the tick in one lane',
      bytesPerTeam: bitBytes + 2,
      points: bits,
      count: countAll(countOne),
    },
    {
      what: 'bits, counts moved with each score',
      bytesPerTeam: bitBytes + 2,
      points: (player, steps) =>
        overRows(data, player, (chunk, row, weight) => addBitsAndCount(chunk, row, steps * weight, counts)),
      count: none,
    },
    {
      what: 'bits, every score added to without a branch',
      bytesPerTeam: bitBytes + 2,
      points: (player, steps) =>
        overRows(data, player, (chunk, row, weight) => addEvery(chunk, row, steps * weight)),
      count: countAll(countFour),
    },
    {
      what: 'lists of team numbers by player and role',
      bytesPerTeam: 11 * 4 + 2,
      points: (player, steps) => {
        for (let role = 0; role < 3; role += 1)
          addListed(data.flat, lists[player * 3 + role]!, steps * (role + 2));
      },
      count: () => {
        counts.fill(0);
        countFour(data.flat, teams, counts);
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
