import { Packr } from 'msgpackr';
import type { Clock } from '../../channels/clock.ts';
import type { EmbeddedStore } from '../../channels/store/store.embedded.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Graph, PairState, Stamp } from './graph.ts';
import { commandAgeMaxMs, emptyState } from './pair-rules.ts';
import { newestAt } from './stamp.ts';

/**
 * The graph in a data folder. Three tables: the states by directed pair; the lists, both ways, of the follows
 * that stand; and, by the time they may be forgotten, the states in which nothing stands.
 */
export function createEmbeddedGraph(setup: EmbeddedGraphSetup): Graph {
  const { store, clock, onError } = setup;
  const options = { ...embeddedGraphDefaults, ...setup.options };
  const pairs = store.table('graph_pairs');
  const lists = store.table('graph_lists');
  const dead = store.table('graph_dead');
  const forgetAfterMs = commandAgeMaxMs + options.workerLagMsMax;
  let closed = false;
  let sweeping: Promise<void> = Promise.resolve();
  let cancel = clock.after(options.sweepIntervalMs, startSweep);

  function stateOf(from: string, to: string): PairState {
    const bytes = pairs.get(`${from}:${to}`);
    return bytes === undefined ? emptyState(from, to) : decodeState(from, to, bytes);
  }

  function put(state: PairState): void {
    const { from, to } = state;
    const key = `${from}:${to}`;
    const before = stateOf(from, to);
    void pairs.put(key, encodeState(state));
    if (state.following && !(before.following && before.affinity === state.affinity)) {
      const value = encodeNumber(state.affinity);
      void lists.put(`>${key}`, value);
      void lists.put(`<${to}:${from}`, value);
    } else if (before.following && !state.following) {
      void lists.remove(`>${key}`);
      void lists.remove(`<${to}:${from}`);
    }
    if (isDead(state)) void dead.put([newestOf(state) + forgetAfterMs, key], nothing);
  }

  /**
   * Forgets what is due, a bounded number at a time so that writers get their turns; answers whether more is.
   */
  function forgetSome(): boolean {
    const due = [...dead.getKeys({ end: [clock.now(), '~'], limit: options.sweepBatchMax })];
    for (const item of due) {
      const [, key] = item as [number, string];
      const [from = '', to = ''] = key.split(':');
      const state = stateOf(from, to);
      // One that came to life, or was touched since and so stands in the queue again further on, stays.
      if (isDead(state) && newestOf(state) + forgetAfterMs <= clock.now()) void pairs.remove(key);
      void dead.remove(item);
    }
    return due.length === options.sweepBatchMax;
  }

  async function sweep(): Promise<void> {
    try {
      while (!closed && (await store.write(forgetSome)));
    } catch (error) {
      // What is due stays in the queue: the next sweep takes it.
      onError(error);
    }
    if (!closed) cancel = clock.after(options.sweepIntervalMs, startSweep);
  }

  function startSweep(): void {
    sweeping = sweep();
  }

  return {
    async read(wanted, endsAt) {
      mustBeBefore(endsAt);
      return wanted.map(([from, to]): [PairState, PairState] => [stateOf(from, to), stateOf(to, from)]);
    },
    async write(states, endsAt) {
      mustBeBefore(endsAt);
      if (states.length > 0) await store.write(() => states.forEach(put));
    },
    async list(user, list, after, limit) {
      const prefix = `${list === 'following' ? '>' : '<'}${user}:`;
      // ';' is the byte after ':', and neither is part of an id.
      const range = {
        start: prefix + (after ?? ''),
        end: `${prefix.slice(0, -1)};`,
        exclusiveStart: true,
        limit,
      };
      return [...lists.getRange(range)].map(({ key, value }) => ({
        other: String(key).slice(prefix.length),
        affinity: value.readDoubleBE(0),
      }));
    },
    async close() {
      closed = true;
      cancel();
      await sweeping;
    },
  };
}

export interface EmbeddedGraphSetup {
  store: EmbeddedStore;
  clock: Clock;
  /** Hears of faults in the background (forgetting what stands no more). */
  onError(error: unknown): void;
  options?: Partial<EmbeddedGraphOptions>;
}
export interface EmbeddedGraphOptions {
  /** How often states in which nothing stands are looked through for old ones. */
  sweepIntervalMs: number;
  /** States forgotten in one transaction at most: some milliseconds. */
  sweepBatchMax: number;
  /**
   * How far a graph worker may be behind its log. Commands are aged against the log's timestamps, forgetting
   * goes by the clock: so stamps are kept for 24 h and this, lest a worker that is late miss one.
   */
  workerLagMsMax: number;
}
export const embeddedGraphDefaults: EmbeddedGraphOptions = {
  sweepIntervalMs: 60_000,
  sweepBatchMax: 1_000,
  // An outage of a night.
  workerLagMsMax: 12 * 3_600_000,
};

function mustBeBefore(endsAt = Number.POSITIVE_INFINITY): void {
  if (performance.now() < endsAt) return;
  throw new ServiceError('The time for this call of the graph had passed before it began.', true);
}

const nothing = Buffer.alloc(0);

function isDead(state: PairState): boolean {
  return !state.following && !state.blocking;
}

function newestOf(state: PairState): number {
  return newestAt([state.followStamp, state.affinityStamp, state.blockStamp]);
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

const packr = new Packr({ useRecords: false });
type StoredState = [
  following: boolean,
  affinity: number,
  since: number,
  followStamp: StoredStamp,
  affinityStamp: StoredStamp,
  blocking: boolean,
  blockStamp: StoredStamp,
];
type StoredStamp = [at: number, id: string] | null;

function encodeState(state: PairState): Buffer {
  const stored: StoredState = [
    state.following,
    state.affinity,
    state.since,
    encodeStamp(state.followStamp),
    encodeStamp(state.affinityStamp),
    state.blocking,
    encodeStamp(state.blockStamp),
  ];
  return packr.pack(stored);
}

function decodeState(from: string, to: string, bytes: Buffer): PairState {
  const [following, affinity, since, follow, affinityStamp, blocking, block] = packr.unpack(
    bytes,
  ) as StoredState;
  return {
    from,
    to,
    following,
    affinity,
    since,
    followStamp: decodeStamp(follow),
    affinityStamp: decodeStamp(affinityStamp),
    blocking,
    blockStamp: decodeStamp(block),
  };
}

function encodeStamp(stamp: Stamp | null): StoredStamp {
  return stamp === null ? null : [stamp.at, stamp.id];
}

function decodeStamp(stored: StoredStamp): Stamp | null {
  return stored === null ? null : { at: stored[0], id: stored[1] };
}
