import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import type { Dependency } from '../dependency/dependency.ts';
import { defineScript } from '../redis/script.ts';
import { beside, slotOf, slotTags } from '../redis/slots.ts';
import { checkMembers, checkName, checkPlaces, checkRow, plain } from './ranked-sets.limits.ts';
import {
  changesAtOnceMax,
  type RankedSets,
  type SetChange,
  type SetPlace,
  type SetRow,
} from './ranked-sets.ts';

/**
 * Sorted sets in Redis. Names are literal: `ZREVRANGE followers_1002 0 49 WITHSCORES` is what `page` reads,
 * in one round trip however deep, and `ZCARD` what `counts` does. In the slot of each set stand:
 *
 * - `fence:{top_c1}`: the fence of its last `replace`.
 * - `born:{<tag>}`, one for each of the 16,384 slots: every list of the slot is what was applied to it.
 *   `markNew` writes them. A server that lost its memory has lost those of its slots.
 * - `whole:{followers_1002}`: that list was mended after a loss.
 * - `mending:{followers_1002}:<word>`: of each mending under way.
 * - `anew:{top_c1}:<word>`: rows of a `replace` under way.
 *
 * No script touches more than `changesAtOnceMax` members: under 3 ms. Memory must not be taken by eviction
 * (`maxmemory-policy noeviction`): a set that went by itself would count as empty.
 */
export interface RedisRankedSetsSetup {
  redis: Redis | Cluster;
  dependency: Dependency;
}

/** As long as mending the greatest list may take. */
const mendingKeptMs = 24 * 3_600_000;
/** Rows of a `replace` whose process died go by themselves. */
const anewKeptMs = 600_000;
/** A call whose answer was lost is repeated within seconds. */
const mendedKeptMs = 60_000;

export function createRedisRankedSets({ redis, dependency }: RedisRankedSetsSetup): RankedSets {
  const script = (name: string, file: string) =>
    defineScript(redis, name, new URL(`./${file}.lua`, import.meta.url));
  const applyScript = script('setsApply', 'apply');
  const pageScript = script('setsPage', 'page');
  const countScript = script('setsCount', 'count');
  const mendedScript = script('setsMended', 'mended');
  const replaceScript = script('setsReplace', 'replace');
  const anewScript = script('setsAnew', 'anew');
  const replaceRowsScript = script('setsReplaceRows', 'replace-rows');
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The sets are closed.', false);
  }

  async function applySteps(changes: readonly SetChange[]): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (const [set, members] of bySet(changes)) {
      // In order over one connection: a set's steps are not waited for one by one.
      for (const values of steps(members)) calls.push(applyScript.run([set], values));
    }
    await Promise.all(calls);
  }

  async function readPage(set: string, offset: number, limit: number): Promise<[number, string[]] | null> {
    const last = offset + limit - 1;
    if (isList(set)) {
      return (await pageScript.run([set, ...markersOf(set)], [offset, last])) as [number, string[]] | null;
    }
    return Promise.all([redis.zcard(set), redis.zrevrange(set, offset, last, 'WITHSCORES')]);
  }

  function count(set: string): Promise<number | null> {
    if (!isList(set)) return redis.zcard(set);
    return countScript.run([set, ...markersOf(set)], []) as Promise<number | null>;
  }

  /** One command for each set that is named. */
  async function readPlaces(places: readonly SetPlace[]): Promise<(number | null)[]> {
    const bySet = new Map<string, { members: string[]; indexes: number[] }>();
    places.forEach(({ set, member }, index) => {
      let asked = bySet.get(set);
      if (asked === undefined) {
        asked = { members: [], indexes: [] };
        bySet.set(set, asked);
      }
      asked.members.push(member);
      asked.indexes.push(index);
    });
    const answers = new Array<number | null>(places.length).fill(null);
    await Promise.all(
      [...bySet].map(async ([set, { members, indexes }]) => {
        const scores = await redis.zmscore(set, ...members);
        indexes.forEach((index, i) => {
          answers[index] = toScore(scores[i]);
        });
      }),
    );
    return answers;
  }

  async function replaceMany(set: string, fence: number, rows: ReadonlyMap<string, number>): Promise<void> {
    const anew = `${beside('anew', set)}:${randomUUID()}`;
    const pairs = [...rows];
    for (let at = 0; at < pairs.length; at += changesAtOnceMax) {
      await anewScript.run([anew], [anewKeptMs, ...flat(pairs.slice(at, at + changesAtOnceMax))]);
    }
    await replaceScript.run([set, beside('fence', set), anew], [String(fence)]);
  }

  return {
    async apply(changes) {
      live();
      for (const { set, member, score } of changes) checkRow(set, member, score);
      if (changes.length > 0) await dependency.run('sets_apply', () => applySteps(changes));
    },
    async page(set, offset, limit) {
      live();
      // A last place of -1 would mean the end of the set.
      const read = await dependency.run('sets_page', () =>
        limit > 0 ? readPage(set, offset, limit) : readPage(set, 1, 0),
      );
      if (read === null) return null;
      const [total, flatRows] = read;
      const rows: SetRow[] = [];
      for (let i = 0; i < flatRows.length; i += 2) rows.push([flatRows[i]!, Number(flatRows[i + 1])]);
      return { total, rows };
    },
    async counts(sets) {
      live();
      return dependency.run('sets_counts', () => Promise.all(sets.map(count)));
    },
    async scores(set, members) {
      live();
      checkMembers(set, members);
      if (members.length === 0) return [];
      const scores = await dependency.run('sets_scores', () => redis.zmscore(set, ...members));
      return scores.map(toScore);
    },
    async scoresOf(places) {
      live();
      checkPlaces(places);
      return dependency.run('sets_scores', () => readPlaces(places));
    },
    async replace(set, fence, rows) {
      live();
      checkName(set);
      for (const [member, score] of rows) checkRow(set, member, score);
      const wanted = new Map(rows);
      await dependency.run('sets_replace', async () => {
        if (wanted.size > changesAtOnceMax) return replaceMany(set, fence, wanted);
        await replaceRowsScript.run([set, beside('fence', set)], [String(fence), ...flat([...wanted])]);
      });
    },
    async scan(set, cursor, limit) {
      live();
      const [next, flatRows] = await dependency.run('sets_scan', () =>
        redis.zscan(set, cursor ?? '0', 'COUNT', limit),
      );
      return { members: flatRows.filter((_, i) => i % 2 === 0), next: next === '0' ? null : next };
    },
    async markNew() {
      live();
      const keys = slotTags().map((tag) => `born:{${tag}}`);
      for (let at = 0; at < keys.length; at += changesAtOnceMax) {
        const some = keys.slice(at, at + changesAtOnceMax);
        await dependency.run('sets_mark', () => Promise.all(some.map((key) => redis.set(key, '1'))));
      }
    },
    async mend(set) {
      live();
      const word = randomUUID();
      await dependency.run('sets_mend', () => redis.set(mendingKey(set, word), '1', 'PX', mendingKeptMs));
      return word;
    },
    async mended(set, word) {
      live();
      const keys = [beside('whole', set), mendingKey(set, word)];
      return (await dependency.run('sets_mended', () => mendedScript.run(keys, [mendedKeptMs]))) === 1;
    },
    async close() {
      closed = true;
    },
  };
}

function toScore(score: string | null | undefined): number | null {
  return typeof score === 'string' ? Number(score) : null;
}

function isList(set: string): boolean {
  return set.startsWith('followers_') || set.startsWith('following_');
}

/** One for each mending: those of one list know nothing of each other. */
function mendingKey(set: string, word: string): string {
  return `${beside('mending', set)}:${word}`;
}

function markersOf(set: string): [whole: string, born: string] {
  return [beside('whole', set), `born:{${slotTags()[slotOf(set)]}}`];
}

/** What is to become of a member: a score, one only if it is a member, or removal. */
interface Fate {
  score: number | null;
  ifMember: boolean;
}

/** By set and member what all changes together do to it, in the order of their last change. */
function bySet(changes: readonly SetChange[]): Map<string, Map<string, Fate>> {
  const sets = new Map<string, Map<string, Fate>>();
  for (const { set, member, score, ifMember } of changes) {
    let members = sets.get(set);
    if (members === undefined) {
      members = new Map();
      sets.set(set, members);
    }
    const before = members.get(member);
    if (score === null || ifMember !== true) members.set(member, { score, ifMember: false });
    else if (before === undefined) members.set(member, { score, ifMember: true });
    else if (before.score !== null) members.set(member, { score, ifMember: before.ifMember });
  }
  return sets;
}

/** Values of the apply script, for at most `changesAtOnceMax` members each. */
function steps(members: ReadonlyMap<string, Fate>): (string | number)[][] {
  const all = [...members];
  const values: (string | number)[][] = [];
  for (let at = 0; at < all.length; at += changesAtOnceMax) {
    const puts: (string | number)[] = [];
    const changed: (string | number)[] = [];
    const removed: string[] = [];
    for (const [member, { score, ifMember }] of all.slice(at, at + changesAtOnceMax)) {
      if (score === null) removed.push(member);
      else (ifMember ? changed : puts).push(plain(score), member);
    }
    values.push([puts.length / 2, changed.length / 2, ...puts, ...changed, ...removed]);
  }
  return values;
}

/** Scores and members in turn, as ZADD takes them. */
function flat(rows: readonly SetRow[]): (string | number)[] {
  return rows.flatMap(([member, score]) => [plain(score), member]);
}
