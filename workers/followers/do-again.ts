import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import { RecordError } from '../../proto/record-error.ts';
import type { GraphChange } from '../../proto/records.ts';
import type { Graph } from '../graph/graph.ts';
import type { Log, LogRecord } from '../log/log.ts';
import type { LatelyDone } from './lately-done.ts';
import { placeKey, setChanges, type Telling, telling } from './transitions.ts';

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
 * earlier one that was lost must not come to stand after a later one that was not.
 */
export async function doAgain(parts: DoAgainParts, window: Window): Promise<number> {
  const { lately, ended } = window;
  const from = await beginOf(parts.log, window);
  const told = new Map<string, Telling>();
  let changes: GraphChange[] = [];
  let done = 0;
  for (let at = from; at < lately.next && !ended(); ) {
    const records = await parts.log.read(topic, window.partition, at, Math.min(pageSize, lately.next - at));
    if (records.length === 0) break;
    at = records[records.length - 1]!.offset + 1;
    const parsed = records.flatMap(parse);
    const begun = await beginsBefore(parts.graph, parsed, lately.from ?? lately.next);
    for (const { change, offset } of parsed) {
      changes.push(change);
      if (lately.wasTold(offset) || begun.has(change.id)) noteLast(told, change);
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

const topic = 'graph-changes';

/** What was done by a member before this one is known by the log's timestamps only. */
async function beginOf(log: Log, { partition, lately, nowMs, windowMs }: Window): Promise<number> {
  const { first } = await log.bounds(topic, partition);
  const known = lately.windowStart(nowMs);
  if (known !== null) return Math.max(first, known);
  let offset = lately.from ?? lately.next;
  for (let step = pageSize; offset > first; step *= 2) {
    offset = Math.max(first, offset - step);
    const [record] = await log.read(topic, partition, offset, 1);
    if (record === undefined || record.timestamp < nowMs - windowMs) break;
  }
  return offset;
}

/**
 * Ids of changes before the offset by which a follow began that still stands: told by another member, if the
 * feed does not know them any more. Of ends nobody knows by now whether there was a follow.
 */
async function beginsBefore(
  graph: Graph,
  changes: readonly { change: GraphChange; offset: number }[],
  before: number,
): Promise<Set<string>> {
  const puts = changes.flatMap(({ change, offset }) =>
    offset < before && change.kind === 'put' ? [change] : [],
  );
  const begun = new Set<string>();
  if (puts.length === 0) return begun;
  const states = await graph.read(
    puts.map(({ list, user, other }) => (list === 'followers' ? [other, user] : [user, other])),
  );
  puts.forEach(({ id, at }, i) => {
    const [{ following, since }] = states[i]!;
    if (following && since === at) begun.add(id);
  });
  return begun;
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

function parse({ value, offset }: LogRecord): { change: GraphChange; offset: number }[] {
  try {
    return [{ change: parseRecord('graph-changes', value, Number.MAX_SAFE_INTEGER), offset }];
  } catch (error) {
    // Its letter went out when it came first.
    if (error instanceof RecordError) return [];
    throw error;
  }
}
