import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, quantile, type Row } from './bench.ts';
import { Crowd } from './crowd.ts';
import { type EdgeWorld, hello, startEdgeWorld } from './edge-world.ts';
import { cpuMsOf } from './process-usage.ts';
import { startRawUws } from './raw-uws.ts';

/**
 * Processor time of the server for each frame that a socket gets. A tick costs something whoever watches (the
 * record, the ranking, the frame on the bus); that is measured with a handful of sockets and taken off, from
 * both. One tick follows the other only when all sockets have the frame of the former. Rounds alternate, and
 * the median round counts. SOCKETS, TICKS (a round), ROUNDS.
 */
const sockets = Number(process.env['SOCKETS'] ?? 2_000);
const ticks = Number(process.env['TICKS'] ?? 25);
const rounds = Number(process.env['ROUNDS'] ?? 7);
/** Always there: the contest must be wanted. */
const anchors = 10;
const none = new Uint8Array(0);

interface Round {
  /** ms of a tick: with the anchors alone, with those who have no team besides, with those who have one. */
  idle: number;
  boards: number;
  ranksAndBoards: number;
}

export const edgeFramesBench: Bench = {
  name: 'edge-frames',
  about:
    `Processor time of the server for a frame delivered, ${sockets.toLocaleString('en')} sockets, ` +
    `${ticks} ticks a round, median of ${rounds} rounds.`,
  async run(add) {
    const world = await startEdgeWorld(sockets + anchors, ['--tick-ms', '10']);
    const ours = new Crowd();
    const raw = await startRawUws();
    const theirs = new Crowd();
    try {
      await join(world, ours);
      await theirs.open(raw.port, sockets, [], []);
      const gatewayRounds: Round[] = [];
      const rawRounds: Round[] = [];
      const sends: number[] = [];
      // The first round warms up, and brings the bytes.
      let bytes: Bytes = { ranks: none, board: none };
      for (let i = 0; i <= rounds; i += 1) {
        const { round, seen } = await gatewayRound(world, ours);
        bytes = seen;
        const rawRound: Round = {
          idle: await rawTicks(raw, theirs, none, none),
          boards: await rawTicks(raw, theirs, none, bytes.board),
          ranksAndBoards: await rawTicks(raw, theirs, bytes.ranks, bytes.board),
        };
        const rawSends = await rawTicks(raw, theirs, bytes.ranks, none);
        if (i === 0) continue;
        gatewayRounds.push(round);
        rawRounds.push(rawRound);
        sends.push(rawSends - rawRound.idle);
      }
      report(gatewayRounds, rawRounds, sends, bytes, add);
    } finally {
      ours.close();
      theirs.close();
      raw.stop();
      await world.gateway.remove();
    }
  },
};

interface Bytes {
  ranks: Uint8Array;
  board: Uint8Array;
}

/** Anchors, then those who have a team, then those who have none; only the anchors stay on the contest. */
async function join({ gateway }: EdgeWorld, crowd: Crowd): Promise<void> {
  const users = Array.from({ length: anchors + sockets }, (_, i) => `u${i}`);
  const strangers = Array.from({ length: sockets }, (_, i) => `x${i}`);
  const firsts = [...users, ...strangers].map((user, i) =>
    hello(gateway.token(user), i < anchors ? ['contest:c'] : []),
  );
  await crowd.open(gateway.port, anchors, firsts.slice(0, anchors), ['connected', 'entries']);
  await crowd.open(gateway.port, 2 * sockets, firsts.slice(anchors), ['connected']);
}

async function gatewayRound(world: EdgeWorld, crowd: Crowd): Promise<{ round: Round; seen: Bytes }> {
  const idle = await gatewayTicks(world, crowd, anchors);
  const boards = await joined(crowd, anchors + sockets, () => gatewayTicks(world, crowd, anchors + sockets));
  const both = await joined(crowd, anchors, async () => {
    const { reached } = await crowd.arm('ranks', anchors + sockets);
    await world.score();
    const ranks = (await reached).payload;
    await delay(100);
    const ticked = await gatewayTicks(world, crowd, anchors + sockets);
    return { ...ticked, ranks };
  });
  return {
    round: { idle: idle.ms, boards: boards.ms, ranksAndBoards: both.ms },
    seen: { ranks: both.ranks, board: both.board },
  };
}

/** With `sockets` sockets from number `from` on the contest. */
async function joined<T>(crowd: Crowd, from: number, action: () => Promise<T>): Promise<T> {
  const channel = 'contest:c';
  const entries = await crowd.arm('entries', sockets);
  await crowd.say(from, from + sockets, [{ t: 'subscribe', id: 1, channel }]);
  await entries.reached;
  await delay(200);
  const result = await action();
  const gone = await crowd.arm('unsubscribed', sockets);
  await crowd.say(from, from + sockets, [{ t: 'unsubscribe', id: 2, channel }]);
  await gone.reached;
  return result;
}

async function gatewayTicks(world: EdgeWorld, crowd: Crowd, boards: number) {
  const pid = world.gateway.pid;
  const before = cpuMsOf(pid);
  let board: Uint8Array = none;
  for (let i = 0; i < ticks; i += 1) {
    const { reached } = await crowd.arm('board', boards);
    await world.score();
    board = (await reached).payload;
  }
  return { ms: (cpuMsOf(pid) - before) / ticks, board };
}

type Raw = Awaited<ReturnType<typeof startRawUws>>;

async function rawTicks(raw: Raw, crowd: Crowd, send: Uint8Array, publish: Uint8Array): Promise<number> {
  const before = cpuMsOf(raw.pid);
  for (let i = 0; i < ticks; i += 1) {
    if (send.length + publish.length === 0) {
      raw.order(send, publish);
      await delay(5);
      continue;
    }
    const { reached } = await crowd.arm(publish.length > 0 ? 'board' : 'ranks', sockets);
    raw.order(send, publish);
    await reached;
  }
  return (cpuMsOf(raw.pid) - before) / ticks;
}

/** `sends`: ms of a loop of raw sends, of each round. */
function report(
  ours: readonly Round[],
  raws: readonly Round[],
  sends: number[],
  bytes: Bytes,
  add: (row: Row) => void,
): void {
  const median = (values: number[]): number => (quantile(values, 0.5) * 1_000) / sockets;
  const row = (what: string, mine: number[], theirs: number[], target: string): void => {
    const times = quantile(
      mine.map((ms, i) => ms / theirs[i]!),
      0.5,
    );
    const measured = `${median(mine).toFixed(2)} µs`;
    const beside = `raw ${median(theirs).toFixed(2)} µs: ${times.toFixed(2)}x`;
    add({ what, measured, beside, target });
  };
  const boards = (round: Round): number => round.boards - round.idle;
  const both = (round: Round): number => round.ranksAndBoards - round.idle;
  const own = (round: Round): number => round.ranksAndBoards - round.boards;
  const board = `a board of ${bytes.board.length} bytes`;
  row(`${board}, broadcast`, ours.map(boards), raws.map(boards), '<= 1.15x');
  row(`an own rank of ${bytes.ranks.length} bytes beside it`, ours.map(own), sends, '<= 1.35x');
  row('both, as a tick sends them', ours.map(both), raws.map(both), '');
  add({
    what: 'a tick, whoever watches: HTTP, log, ranking, frame',
    measured: `${quantile(
      ours.map((round) => round.idle),
      0.5,
    ).toFixed(2)} ms`,
    beside: '',
    target: '',
  });
}
