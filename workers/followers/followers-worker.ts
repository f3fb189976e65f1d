import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { ServiceError } from '../../proto/codes.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import type { GraphChange } from '../../proto/records.ts';
import type { Graph } from '../graph/graph.ts';
import type { Batch, Log } from '../log/log.ts';
import { takeRecords } from '../log/take-records.ts';
import { startWorker, type Worker } from '../log/worker.ts';
import { doAgain } from './do-again.ts';
import { LatelyDone } from './lately-done.ts';
import { createRebuilds, type RebuildsOptions, rebuildsDefaults } from './rebuilds.ts';
import { readTold, writeTold } from './told.ts';
import {
  type Place,
  placeKey,
  placeOf,
  runsApart,
  setChanges,
  type Telling,
  tellings,
} from './transitions.ts';

export interface FollowersWorkerParts {
  log: Log;
  sets: RankedSets;
  graph: Graph;
  bus: Bus;
  lookup: Lookup;
  clock: Clock;
  options: FollowersWorkerOptions;
  logger: Logger;
  registry: Registry;
}
export interface FollowersWorkerOptions extends RebuildsOptions {
  /**
   * Changes that share a step. All may be for one feed, so no more than the ids a log channel keeps
   * (`messageIdsKept`).
   */
  followersBatchMax: number;
  graphPrecedesLog: boolean;
  toldKeptMax: number;
  doAgainRetryMs: number;
}
export const followersWorkerDefaults: FollowersWorkerOptions = {
  ...rebuildsDefaults,
  followersBatchMax: 1_000,
  /**
   * Whether the graph was filled or restored before the log began. Then an empty log does not mean that lists
   * are empty: each is rebuilt from the graph when it is first asked for.
   */
  graphPrecedesLog: false,
  /** Offsets of changes told within the window, per partition: a few megabytes. */
  toldKeptMax: 1_000_000,
  /** Between tries of what failed because Redis was not back yet. */
  doAgainRetryMs: 1_000,
};

/** What this member has of a partition. */
interface Partition {
  readonly number: number;
  /** The first offset of which nothing was told. */
  untoldFrom: number;
  /** What is before was told by members before this one. */
  readonly othersUpTo: number;
  readonly lately: LatelyDone;
  /** What was done within the window must be done again. */
  isDoubtful: boolean;
  /** Redis has lost something since others had it, or not long before. */
  othersDoubtful: boolean;
  isGone: boolean;
  /** One step at a time: batches, and doing again. */
  turn: Promise<unknown>;
}

/**
 * The followers worker: `graph-changes` in; the sorted sets `followers_<id>` and `following_<id>`, and
 * messages on `feed:<id>` and `user:<id>` out (docs/feeds.md).
 *
 * Changes are absolute, so what is new about one shows only against the set as it was before. Hence the steps
 * of a batch: see who is in the sets, append what that makes new, note that everything to here is told,
 * change the sets, commit. A crash before the note finds the sets untouched and appends the same ids again,
 * which the bus knows; one after it appends nothing again and sets the sets once more.
 *
 * After an interruption of the bus Redis may have gone back a little, and so it may have before a partition
 * came here: what was done within the window is done again (do-again.ts), before the next batch. Lists that
 * it lost are rebuilt from the graph (rebuilds.ts).
 */
export async function createFollowersWorker(parts: FollowersWorkerParts): Promise<Worker> {
  const { log, bus, clock, options, logger, registry } = parts;
  const counted = counters(registry);
  const partitions = new Map<number, Partition>();
  let closed = false;

  async function append(told: readonly Telling[]): Promise<void> {
    await appendAll(bus, told);
    for (const { data } of told) counted.messages.inc({ type: data.type });
  }

  /** While Redis is not back this rejects, and the batch that waits for it comes again. */
  async function mendDoubtful(mine: Partition): Promise<void> {
    if (!mine.isDoubtful || mine.isGone || mine.lately.from === null) return;
    mine.isDoubtful = false;
    const { number: partition, lately, untoldFrom, othersDoubtful } = mine;
    const othersUpTo = Math.max(mine.othersUpTo, lately.from ?? 0);
    const window = { partition, lately, untoldFrom, othersUpTo, othersDoubtful, nowMs: clock.now() };
    try {
      const again = { ...parts, append: (told: readonly Telling[]) => appendAll(bus, told) };
      const changes = await doAgain(again, {
        ...window,
        windowMs: options.rereadWindowMs,
        ended: () => mine.isGone,
      });
      lately.doneAgain(clock.now());
      counted.again.inc(changes);
      logger.info({ partition, changes }, 'What was applied lately was applied again.');
    } catch (error) {
      mine.isDoubtful = true;
      throw error;
    }
  }

  function mendSoon(mine: Partition): void {
    inTurn(mine, () => mendDoubtful(mine)).catch((error) => {
      logger.warn({ err: error, partition: mine.number }, 'Recent changes could not be applied again yet.');
      clock.after(options.doAgainRetryMs, () => mendSoon(mine));
    });
  }

  /** Beside everything else: where Redis is not there yet, consuming waits for it by itself. */
  function untilDone(step: () => Promise<void>): void {
    step().catch((error) => {
      if (closed) return;
      logger.warn({ err: error }, 'A step of the start failed; it is tried again.');
      clock.after(options.doAgainRetryMs, () => untilDone(step));
    });
  }

  /** When the bus was last interrupted. */
  let resetAt = Number.NEGATIVE_INFINITY;
  const rebuilds = createRebuilds({
    ...parts,
    isOurs: (user) => partitions.has(log.partitionOf('graph-changes', user)),
  });
  untilDone(() => markNewSets(parts));
  untilDone(() => rebuilds.listen());
  const unsubscribe = bus.onReset((reason) => {
    logger.info({ reason }, 'The bus was interrupted: recent changes are applied again.');
    resetAt = clock.now();
    for (const mine of partitions.values()) {
      mine.isDoubtful = true;
      mine.othersDoubtful = true;
      mendSoon(mine);
    }
    rebuilds.again();
  });

  const worker = await startWorker({
    name: 'followers',
    topic: 'graph-changes',
    batchMax: options.followersBatchMax,
    log,
    clock,
    logger,
    registry,
    async onAssign(number, committed) {
      const untoldFrom = await readTold(parts.lookup, log, number);
      const lately = new LatelyDone(committed, options.rereadWindowMs, options.toldKeptMax);
      const mine = { number, untoldFrom, othersUpTo: untoldFrom, lately, turn: Promise.resolve() };
      // Who had it before may have died together with Redis.
      const othersDoubtful = clock.now() - resetAt < options.rereadWindowMs;
      const partition: Partition = { ...mine, isDoubtful: true, othersDoubtful, isGone: false };
      partitions.set(number, partition);
      mendSoon(partition);
    },
    async onRevoke(number) {
      const mine = partitions.get(number);
      if (mine === undefined) return;
      partitions.delete(number);
      mine.isGone = true;
      await mine.turn;
    },
    async onBatch(batch) {
      const mine = partitions.get(batch.partition)!;
      await inTurn(mine, async () => {
        mine.lately.begin(batch.records[0]!.offset, clock.now());
        try {
          await mendDoubtful(mine);
          await takeBatch(parts, mine, batch, append);
        } catch (error) {
          mine.lately.fail(clock.now());
          throw error;
        }
      });
    },
  });
  return {
    ready: () => worker.ready(),
    async close() {
      closed = true;
      unsubscribe();
      await rebuilds.close();
      await worker.close();
    },
  };
}

/** Told, applied, committed. */
async function takeBatch(
  parts: FollowersWorkerParts,
  mine: Partition,
  batch: Batch,
  append: (told: readonly Telling[]) => Promise<void>,
): Promise<void> {
  const { sets, lookup, logger } = parts;
  // Times were held against the log's clock when the commands came in.
  const { records, letters } = takeRecords(batch, ({ value }) =>
    parseRecord('graph-changes', value, Number.MAX_SAFE_INTEGER),
  );
  const graphChanges = records.map(({ record }) => record);
  const last = batch.records[batch.records.length - 1]!;
  if (last.offset >= mine.untoldFrom) {
    const members = await membersOf(sets, graphChanges);
    const changes = records.map(({ record, logged }) => ({ change: record, offset: logged.offset }));
    const told = tellings(changes, members, mine.untoldFrom);
    if (told.length > 0) {
      mustBeOurs(batch);
      await append(told);
      await writeTold(lookup, batch.partition, last);
      mine.untoldFrom = last.offset + 1;
      mine.lately.tell(told.map(({ offset }) => offset));
    }
  }
  mustBeOurs(batch);
  await sets.apply(setChanges(graphChanges));
  mine.lately.end(last.offset + 1, parts.clock.now());
  await batch.commit(letters);
  if (letters.length > 0) {
    logger.warn({ partition: batch.partition, count: letters.length }, 'records are no graph changes');
  }
}

/** Who was stopped for long must not write over what the next owner has written. */
function mustBeOurs(batch: Batch): void {
  if (batch.ours()) return;
  throw new ServiceError(`${batch.topic}/${batch.partition} may be with another member by now.`, true);
}

function inTurn<T>(mine: Partition, step: () => Promise<T>): Promise<T> {
  const done = mine.turn.then(step);
  mine.turn = done.catch(() => undefined);
  return done;
}

/** Before anything was told, all lists are empty because there is nothing in them. */
async function markNewSets({ log, sets, options }: FollowersWorkerParts): Promise<void> {
  // Too late, lists are rebuilt one by one when they are asked for.
  if (!options.graphPrecedesLog && (await isEmpty(log))) await sets.markNew();
}

async function isEmpty(log: Log): Promise<boolean> {
  for (let partition = 0; partition < log.partitions('graph-changes'); partition++) {
    if ((await log.bounds('graph-changes', partition)).next > 0) return false;
  }
  return true;
}

function counters(registry: Registry) {
  const registers = [registry];
  return {
    messages: new Counter({
      name: 'rankcast_followers_messages_total',
      help: 'Messages about follows appended to log channels, by type.',
      labelNames: ['type'],
      registers,
    }),
    again: new Counter({
      name: 'rankcast_followers_applied_again_total',
      help: 'Changes that were applied again because Redis may have lost them.',
      registers,
    }),
  };
}

/** Places asked for at once: what a RankedSets takes. */
const placesMax = 5_000;

/** Those places of the changes where there is a member, as `placeKey`. */
async function membersOf(sets: RankedSets, changes: readonly GraphChange[]): Promise<Set<string>> {
  const asked = new Map<string, Place>();
  for (const change of changes) {
    if (change.kind === 'affinity') continue;
    const place = placeOf(change);
    asked.set(placeKey(place), place);
  }
  const keys = [...asked.keys()];
  const places = [...asked.values()];
  const found = new Set<string>();
  for (let at = 0; at < places.length; at += placesMax) {
    const scores = await sets.scoresOf(places.slice(at, at + placesMax));
    scores.forEach((score, i) => {
      if (score !== null) found.add(keys[at + i]!);
    });
  }
  return found;
}

/**
 * Appends stand in the order of the calls. If some fail, the batch comes again and they stand after others;
 * so what is told of one user is never under way together, lest an old word become the last.
 */
async function appendAll(bus: Bus, told: readonly Telling[]): Promise<void> {
  for (const run of runsApart(told)) {
    await Promise.all(
      run.map(({ channel, id, at, data }) =>
        bus.append(channel, { id, at, data: Buffer.from(JSON.stringify(data)) }),
      ),
    );
  }
}
