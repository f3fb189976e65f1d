import { parentPort, workerData } from 'node:worker_threads';
import { Random } from './random.ts';
import { Trial } from './trial.ts';

/** Worlds of seeds `first`, `first + 1`, ... on a thread of their own. */
export interface WorldsAsked {
  first: number;
  worlds: number;
  recordsPerWorld: number;
}
export interface WorldsDone {
  records: number;
  comparisons: number;
  /** Of the first world that differed. */
  failure: string | null;
}

export function runWorlds({ first, worlds, recordsPerWorld }: WorldsAsked): WorldsDone {
  const done: WorldsDone = { records: 0, comparisons: 0, failure: null };
  for (let seed = first; seed < first + worlds; seed += 1) {
    const trial = new Trial(new Random(seed));
    try {
      for (let i = 0; i < recordsPerWorld; i += 1) trial.step();
      trial.finish();
    } catch (error) {
      const { stack } = error as Error;
      done.failure = `SEED=${seed} RECORDS=1, at record ${trial.records}: ${stack}`;
      return done;
    }
    done.records += recordsPerWorld;
    done.comparisons += trial.comparisons;
  }
  return done;
}

if (parentPort !== null) parentPort.postMessage(runWorlds(workerData as WorldsAsked));
