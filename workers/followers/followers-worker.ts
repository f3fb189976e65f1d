import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import type { GraphChange } from '../../proto/records.ts';
import type { Batch, Log } from '../log/log.ts';
import { takeRecords } from '../log/take-records.ts';
import { startWorker, type Worker } from '../log/worker.ts';
import { readTold, writeTold } from './told.ts';
import { placeKey, placeOf, runsApart, setChanges, type Telling, tellings } from './transitions.ts';

export interface FollowersWorkerParts {
  log: Log;
  sets: RankedSets;
  bus: Bus;
  lookup: Lookup;
  clock: Clock;
  options: FollowersWorkerOptions;
  logger: Logger;
  registry: Registry;
}
export interface FollowersWorkerOptions {
  /**
   * Changes that share a step. All may be for one feed, so no more than the ids a log channel keeps
   * (`messageIdsKept`).
   */
  followersBatchMax: number;
}
export const followersWorkerDefaults: FollowersWorkerOptions = { followersBatchMax: 1_000 };

/**
 * The followers worker: `graph-changes` in; the sorted sets `followers_<id>` and `following_<id>`, and
 * messages on `feed:<id>` and `user:<id>` out (docs/feeds.md).
 *
 * Changes are absolute, so what is new about one shows only against the set as it was before. Hence the steps
 * of a batch: see who is in the sets, append what that makes new, note that everything to here is told,
 * change the sets, commit. A crash before the note finds the sets untouched and appends the same ids again,
 * which the bus knows; one after it appends nothing again and sets the sets once more.
 */
export async function createFollowersWorker(parts: FollowersWorkerParts): Promise<Worker> {
  const { log, sets, bus, lookup, clock, options, logger, registry } = parts;
  const messages = new Counter({
    name: 'rankcast_followers_messages_total',
    help: 'Messages about follows appended to log channels, by type.',
    labelNames: ['type'],
    registers: [registry],
  });
  /** By partition: the first offset of which nothing was told. */
  const untoldFrom = new Map<number, number>();

  async function onBatch(batch: Batch): Promise<void> {
    // Times were held against the log's clock when the commands came in.
    const { records, letters } = takeRecords(batch, ({ value }) =>
      parseRecord('graph-changes', value, Number.MAX_SAFE_INTEGER),
    );
    const changes = records.map(({ record, logged }) => ({ change: record, offset: logged.offset }));
    const last = batch.records[batch.records.length - 1]!;
    const from = untoldFrom.get(batch.partition) ?? 0;
    if (last.offset >= from) {
      const members = await membersOf(
        sets,
        records.map(({ record }) => record),
      );
      const told = tellings(changes, members, from);
      if (told.length > 0) {
        await appendAll(bus, told);
        await writeTold(lookup, batch.partition, last);
        untoldFrom.set(batch.partition, last.offset + 1);
        for (const { data } of told) messages.inc({ type: data.type });
      }
    }
    await sets.apply(setChanges(records.map(({ record }) => record)));
    await batch.commit(letters);
    if (letters.length > 0) {
      logger.warn({ partition: batch.partition, count: letters.length }, 'records are no graph changes');
    }
  }

  return startWorker({
    name: 'followers',
    topic: 'graph-changes',
    batchMax: options.followersBatchMax,
    log,
    clock,
    logger,
    registry,
    async onAssign(partition) {
      untoldFrom.set(partition, await readTold(lookup, log, partition));
    },
    onBatch,
  });
}

/** Members asked for at once: what a RankedSets takes. */
const membersMax = 500;

/** Those places of the changes where there is a member, as `placeKey`. */
async function membersOf(sets: RankedSets, changes: readonly GraphChange[]): Promise<Set<string>> {
  const asked = new Map<string, Set<string>>();
  for (const change of changes) {
    if (change.kind === 'affinity') continue;
    const { set, member } = placeOf(change);
    const wanted = asked.get(set);
    if (wanted === undefined) asked.set(set, new Set([member]));
    else wanted.add(member);
  }
  const found = new Set<string>();
  async function ask(set: string, members: string[]): Promise<void> {
    const scores = await sets.scores(set, members);
    members.forEach((member, i) => {
      if (scores[i] !== null) found.add(placeKey({ set, member }));
    });
  }
  const questions: Promise<void>[] = [];
  for (const [set, wanted] of asked) {
    const members = [...wanted];
    for (let at = 0; at < members.length; at += membersMax) {
      questions.push(ask(set, members.slice(at, at + membersMax)));
    }
  }
  await Promise.all(questions);
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
