import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import { RecordError } from '../../proto/record-error.ts';
import type { GraphChange } from '../../proto/records.ts';
import type { Graph } from '../graph/graph.ts';
import type { Log, LogRecord } from '../log/log.ts';
import type { LatelyDone } from './lately-done.ts';
import { placeKey, placeOf, setChanges, type Telling, telling } from './transitions.ts';

export interface DoAgainParts {
  log: Log;
  sets: RankedSets;
  graph: Graph;
  /** Appends in order; ids that the channel knows add nothing. */
  append(told: readonly Telling[]): Promise<void>;
}
export interface Window {
  partition: number;
  lately: LatelyDone;
  /** The first offset of which nothing was told; beyond `lately.next` where a batch got no further. */
  untoldFrom: number;
  /** What is before was told by members before this one. */
  othersUpTo: number;
  /** Whether what they told may be lost as well; else it is only put into the sets again. */
  othersDoubtful: boolean;
  nowMs: number;
  windowMs: number;
  ended(): boolean;
}

/** Records read or written at once. */
const pageSize = 1_000;
/** Records whose ends are put into the sets together, so that no reader sees what was in between. */
const foldMax = 100_000;
/**
 * Of each feed no more than its newest: a channel remembers the ids of at least a thousand messages, and an
 * id that it has forgotten would be told twice.
 */
const retoldPerChannelMax = 500;

/**
 * After Redis may have lost what was written last: applies the changes of the window again, and tells again
 * on feeds. No batch of the partition may be under way. Of each member only the last word is told again: an
 * earlier one that was lost must not come to stand after a later one that was not. Nothing that was not told
 * yet is touched: what is new about it would not be seen any more.
 */
export async function doAgain(parts: DoAgainParts, window: Window): Promise<number> {
  const { lately, ended } = window;
  const from = await beginOf(parts.log, window);
  const to = Math.max(lately.next, window.untoldFrom);
  const told = new Map<string, Telling>();
  const begun = new Set<string>();
  let changes: GraphChange[] = [];
  let done = 0;
  for (let at = from; at < to && !ended(); ) {
    const records = await parts.log.read(topic, window.partition, at, Math.min(pageSize, to - at));
    if (records.length === 0) break;
    at = records[records.length - 1]!.offset + 1;
    // Offsets may be left out: so many records can reach further than so many offsets.
    const parsed = records.filter(({ offset }) => offset < to).flatMap(parse);
    const theirs = window.othersDoubtful ? parsed.filter((item) => isOthers(item, window)) : [];
    const others = await begins(parts.graph, theirs, begun);
    for (const { change, record } of parsed) {
      changes.push(change);
      if (lately.wasTold(record.offset) || others.has(record.offset)) noteLast(told, change);
    }
    done += parsed.length;
    if (changes.length < foldMax) continue;
    await applyAll(parts.sets, changes);
    changes = [];
  }
  if (ended()) return done;
  await parts.append(newestPerChannel([...told.values()]));
  await applyAll(parts.sets, changes);
  return done;
}

interface Parsed {
  change: GraphChange;
  record: LogRecord;
}

const topic = 'graph-changes';

/**
 * What was done by a member before this one is known by the log's timestamps only: the window counts back
 * from the last of its records, at the latest.
 */
async function beginOf(log: Log, { partition, lately, nowMs, windowMs }: Window): Promise<number> {
  const { first, next } = await log.bounds(topic, partition);
  const known = lately.windowStart(nowMs);
  if (known !== null) return Math.max(first, known);
  const end = lately.from ?? lately.next;
  // Of another log: everything comes anew.
  if (end > next) return end;
  let since: number | null = null;
  let offset = Math.max(first, end);
  for (let step = pageSize; offset > first; step *= 2) {
    offset = Math.max(first, offset - step);
    const records = await log.read(topic, partition, offset, pageSize);
    const before = records.filter((record) => record.offset < end);
    if (before.length === 0) continue;
    since ??= Math.min(lately.lastMs(nowMs), before[before.length - 1]!.timestamp) - windowMs;
    if (before[0]!.timestamp >= since) continue;
    const start = since;
    return before.find(({ timestamp }) => timestamp >= start)?.offset ?? before[before.length - 1]!.offset;
  }
  return offset;
}

/** Of what is older a channel may have forgotten the ids: it would be told twice. */
const othersAgeMaxMs = 24 * 3_600_000;

function isOthers({ record }: Parsed, { othersUpTo, nowMs }: Window): boolean {
  return record.offset < othersUpTo && record.timestamp >= nowMs - othersAgeMaxMs;
}

/**
 * Offsets of changes by which a follow began that still stands: told by another member, if the feed does not
 * know them any more. Of ends nobody knows by now whether there was a follow. `begun`: places of which the
 * begin has been found, from call to call: a later follow of the same time is none.
 */
async function begins(graph: Graph, changes: readonly Parsed[], begun: Set<string>): Promise<Set<number>> {
  const puts = changes.filter(({ change }) => change.kind === 'put');
  const states = await graph.read(
    puts.map(({ change: { list, user, other } }) => (list === 'followers' ? [other, user] : [user, other])),
  );
  const isBegin = new Set(
    puts.filter(({ change }, i) => states[i]![0].following && states[i]![0].since === change.at),
  );
  const found = new Set<number>();
  for (const item of changes) {
    const key = placeKey(placeOf(item.change));
    if (item.change.kind === 'remove') begun.delete(key);
    if (!isBegin.has(item) || begun.has(key)) continue;
    begun.add(key);
    found.add(item.record.offset);
  }
  return found;
}

/** The last word on a channel about another user; at the end of the order. */
function noteLast(told: Map<string, Telling>, change: GraphChange): void {
  const word = telling(change, change.kind === 'put');
  const key = placeKey({ set: word.channel, member: change.other });
  told.delete(key);
  told.set(key, word);
}

function newestPerChannel(told: readonly Telling[]): Telling[] {
  const counts = new Map<string, number>();
  const kept: Telling[] = [];
  for (const word of [...told].reverse()) {
    const count = (counts.get(word.channel) ?? 0) + 1;
    counts.set(word.channel, count);
    if (count <= retoldPerChannelMax) kept.push(word);
  }
  return kept.reverse();
}

async function applyAll(sets: RankedSets, changes: readonly GraphChange[]): Promise<void> {
  const ends = setChanges(changes);
  for (let at = 0; at < ends.length; at += pageSize) await sets.apply(ends.slice(at, at + pageSize));
}

function parse(record: LogRecord): Parsed[] {
  try {
    return [{ change: parseRecord('graph-changes', record.value, Number.MAX_SAFE_INTEGER), record }];
  } catch (error) {
    // Its letter went out when it came first.
    if (error instanceof RecordError) return [];
    throw error;
  }
}
