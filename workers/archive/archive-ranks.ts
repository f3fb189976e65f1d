import {
  type ArchivedRanks,
  archivedRanksName,
  rankBucketOf,
  rankBuckets,
} from '../../channels/contest/archived-ranks.ts';
import type { Archive } from './archive.ts';
import type { Board } from './archive-worker.ts';

/** Rows looked at before others have their turn. */
const rowsTogether = 500;
const placesTogether = 50_000;

/**
 * Archives the ranks of a board by entry (`channels/contest/archived-ranks.ts`), to be done before the board
 * itself is: then a board that is listed has them. Eight bytes an entry are held meanwhile.
 */
export async function archiveRanks(archive: Archive, board: Board): Promise<void> {
  const { contest, version, at, total, scoreStep, final } = board;
  const buckets = rankBuckets(total);
  if (buckets === 0) return;
  const { places, ends } = await placesByBucket(board, buckets);

  async function* pages(): AsyncGenerator<Uint8Array> {
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      await othersTurn();
      const ranks = board.ranks(places.subarray(ends[bucket - 1] ?? 0, ends[bucket]));
      yield Buffer.from(JSON.stringify({ scoreStep, ranks } satisfies ArchivedRanks));
    }
  }
  await archive.save(
    { contest: archivedRanksName(contest), version, at, total, pages: buckets, final },
    pages(),
  );
}

/** Places of the board sorted by bucket (counting sort), and where each bucket's end. */
async function placesByBucket(
  board: Board,
  buckets: number,
): Promise<{ places: Uint32Array; ends: Uint32Array }> {
  const { total } = board;
  const bucketAt = new Uint32Array(total);
  const ends = new Uint32Array(buckets);
  for (let start = 0; start < total; start += rowsTogether) {
    await othersTurn();
    board.rows(start, Math.min(total, start + rowsTogether)).forEach(([, entry], i) => {
      const bucket = rankBucketOf(entry, buckets);
      bucketAt[start + i] = bucket;
      ends[bucket] = (ends[bucket] ?? 0) + 1;
    });
  }
  let before = 0;
  ends.forEach((count, bucket) => {
    ends[bucket] = before;
    before += count;
  });
  // `ends` holds each bucket's beginning now, and moves to its end as it fills.
  const places = new Uint32Array(total);
  for (let place = 0; place < total; place += 1) {
    if (place % placesTogether === 0) await othersTurn();
    const bucket = bucketAt[place] ?? 0;
    const at = ends[bucket] ?? 0;
    places[at] = place;
    ends[bucket] = at + 1;
  }
  return { places, ends };
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
