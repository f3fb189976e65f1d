import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { profiles, putProfile } from '../../channels/lookup/profile.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import type { ProfileRecord } from '../../proto/records.ts';
import type { Batch, Log } from '../log/log.ts';
import { takeRecords } from '../log/take-records.ts';
import { startWorker, type Worker } from '../log/worker.ts';

export interface ProfilesWorkerParts {
  log: Log;
  lookup: Lookup;
  clock: Clock;
  options: ProfilesWorkerOptions;
  logger: Logger;
  registry: Registry;
}
export interface ProfilesWorkerOptions {
  /** Records of one batch; no more than the keys that a Lookup is asked for at once (500). */
  profilesBatchMax: number;
}
export const profilesWorkerDefaults: ProfilesWorkerOptions = { profilesBatchMax: 500 };

/** The profiles worker: keeps for each user the profile with the greatest (`at`, `id`). */
export async function createProfilesWorker(parts: ProfilesWorkerParts): Promise<Worker> {
  const { log, lookup, clock, options, logger, registry } = parts;

  async function onBatch(batch: Batch): Promise<void> {
    const { records, letters } = takeRecords(batch, ({ value, timestamp }) =>
      parseRecord('profiles', value, timestamp),
    );
    const newest = new Map<string, ProfileRecord>();
    for (const { record } of records) {
      if (isNewer(record, newest.get(record.user) ?? null)) newest.set(record.user, record);
    }
    // The fence of a Lookup orders by `at`; between equal times the id decides, and that is looked at here.
    const kept = await profiles(lookup, [...newest.keys()]);
    const won = [...newest.values()].filter((record, i) => isNewer(record, kept[i] ?? null));
    await Promise.all(won.map((record) => putProfile(lookup, record)));
    await batch.commit(letters);
    if (letters.length > 0) {
      logger.warn({ partition: batch.partition, count: letters.length }, 'records are no profiles');
    }
  }

  const { profilesBatchMax: batchMax } = options;
  return startWorker({
    name: 'profiles',
    topic: 'profiles',
    batchMax,
    log,
    clock,
    logger,
    registry,
    onBatch,
  });
}

function isNewer(record: { at: number; id: string }, kept: { at: number; id: string } | null): boolean {
  if (kept === null) return true;
  return record.at === kept.at ? record.id > kept.id : record.at > kept.at;
}
