/**
 * Latencies in bounded memory: counts in buckets whose width grows with the value, as in Gil Tene's
 * HdrHistogram. Each power of two is cut into 64 equal buckets, so that a percentile is at most 1/64 (1.6 %)
 * above the truth.
 */
export interface LatencySummary {
  count: number;
  /** In ms, as are all; null: nothing was recorded. */
  p50: number | null;
  p90: number | null;
  p99: number | null;
  max: number | null;
}

const subBuckets = 64;
/** Values are kept in microseconds: below 64 of them exactly, above 2^32 (71 minutes) as that. */
const microsecondsMax = 2 ** 32 - 1;
const octaves = 32 - Math.log2(subBuckets);

export class LatencyHistogram {
  readonly #counts = new Float64Array(subBuckets * (octaves + 1));
  count = 0;
  #maxMicroseconds = 0;

  /** What is below nothing (another clock's doing) counts as nothing. */
  record(ms: number): void {
    const value = Math.min(microsecondsMax, Math.max(0, Math.round(ms * 1_000)));
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count += 1;
    if (value > this.#maxMicroseconds) this.#maxMicroseconds = value;
  }

  /** `percent` from 0 to 100: the upper end of the bucket that holds it, in ms. null: nothing recorded. */
  percentile(percent: number): number | null {
    if (this.count === 0) return null;
    const wanted = Math.max(1, Math.ceil((percent / 100) * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(upperEnd(bucket), this.#maxMicroseconds) / 1_000;
    }
    return this.#maxMicroseconds / 1_000;
  }

  summary(): LatencySummary {
    const max = this.count === 0 ? null : this.#maxMicroseconds / 1_000;
    const [p50, p90, p99] = [50, 90, 99].map((percent) => this.percentile(percent));
    return { count: this.count, p50: p50 ?? null, p90: p90 ?? null, p99: p99 ?? null, max };
  }
}

function bucketOf(value: number): number {
  if (value < subBuckets) return value;
  const octave = 31 - Math.clz32(value) - Math.log2(subBuckets);
  return subBuckets * octave + Math.floor(value / 2 ** octave);
}

function upperEnd(bucket: number): number {
  if (bucket < subBuckets * 2) return bucket;
  const octave = Math.floor(bucket / subBuckets) - 1;
  return (bucket - subBuckets * octave + 1) * 2 ** octave - 1;
}
