/**
 * Ranks of a final board by entry, as the archive keeps them beside the board's pages: entries are spread
 * over buckets of about 500 by a hash of their id; a bucket is a page of the version of the same number under
 * a name that no contest can have. So the rank of one entry out of ten million is one read of some 15 KB. A
 * board that fits one page has no buckets: its page says it all.
 */
const bucketEntries = 500;

/** A bucket: JSON. */
export interface ArchivedRanks {
  scoreStep: number;
  ranks: [entry: string, score: number, rank: number][];
}

/** `/` is in no contest's id. */
export function archivedRanksName(contest: string): string {
  return `${contest}/ranks`;
}

/** How many buckets a board of so many entries has; 0: its one page serves. */
export function rankBuckets(total: number): number {
  return total <= bucketEntries ? 0 : Math.ceil(total / bucketEntries);
}

/** FNV-1a of the id (ASCII), into one of the buckets. */
export function rankBucketOf(entry: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < entry.length; i += 1) {
    hash = Math.imul(hash ^ entry.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % buckets;
}
