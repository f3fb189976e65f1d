import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/model/random.ts';
import { Trial } from '../../test/model/trial.ts';

/**
 * The ranker against the obvious model (test/model/), a world after the other: RECORDS says how many records in all,
 * SEED the first world's seed. A failing world names its own seed; SEED set to it and RECORDS=1 repeat it alone.
 */
const recordsPerWorld = 1_000;

test('[RK-19] [RK-20] random worlds: refusals, snapshots, frames at every version, answers, order and restores agree with the model', (t) => {
  const records = Number(process.env['RECORDS'] ?? 60_000);
  const seed = Number(process.env['SEED'] ?? 1 + Math.floor(Math.random() * 1e9));
  let done = 0;
  let comparisons = 0;
  t.diagnostic(`SEED=${seed}`);
  for (let world = seed; done < records; world += 1) {
    const trial = new Trial(new Random(world));
    try {
      for (let i = 0; i < recordsPerWorld; i += 1) trial.step();
      trial.finish();
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`SEED=${world}, record ${trial.records}: ${message}`, { cause: error });
    }
    done += recordsPerWorld;
    comparisons += trial.comparisons;
  }
  t.diagnostic(`${done} records, ${comparisons} comparisons`);
  assert.ok(comparisons > done / 2);
});
