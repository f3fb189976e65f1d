import type { Stamp } from './stamps.ts';

/**
 * A checkpoint's segment: what was accepted, in the order of the log, as a byte for the kind of step and its
 * fields. Whole numbers below 2^32 are LEB128; times and scores are doubles; ids are their length and their
 * bytes. Matches, `scores` contests (both "spaces"), contests in their match and entries in their space are
 * named by number, in order of creation over all segments.
 */
export const steps = {
  match: 1,
  players: 2,
  contest: 3,
  scoresContest: 4,
  prizes: 5,
  /** Of the entries that follow. */
  stamp: 6,
  newEntry: 7,
  changedEntry: 8,
  score: 9,
  forget: 10,
  /** In whole segments: a space that was forgotten keeps its number. */
  noSpace: 11,
  /** In whole segments: order of first appearance where it is not that of the entries. */
  members: 12,
} as const;
export const segmentFormat = 1;

const startBytes = 256;

export class SegmentWriter {
  length = 0;
  /** More came than may be kept: what is here is not everything. */
  overflown = false;
  private readonly bytesMax: number;
  private bytes = new Uint8Array(startBytes);
  private view = new DataView(this.bytes.buffer);
  private stampAt = Number.NaN;
  private stampId = '';

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    const segment = this.bytes.slice(0, this.length);
    this.clear();
    this.overflown = false;
    return segment;
  }

  step(step: number): void {
    if (this.length > this.bytesMax) {
      this.clear();
      this.overflown = true;
    }
    if (this.overflown) return;
    if (this.length === 0) this.byte(segmentFormat);
    this.byte(step);
  }

  uint(value: number): void {
    if (this.overflown) return;
    this.reserve(5);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.length] = (rest & 127) | 128;
      this.length += 1;
      rest >>>= 7;
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  double(value: number): void {
    if (this.overflown) return;
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  /** Up to 255 ASCII characters. */
  text(value: string): void {
    if (this.overflown) return;
    this.reserve(1 + value.length);
    this.bytes[this.length] = value.length;
    for (let i = 0; i < value.length; i += 1) this.bytes[this.length + 1 + i] = value.charCodeAt(i);
    this.length += 1 + value.length;
  }

  uints(values: ArrayLike<number>): void {
    this.uint(values.length);
    for (let i = 0; i < values.length; i += 1) this.uint(values[i]!);
  }

  stamp(stamp: Stamp): void {
    this.double(stamp.at);
    this.text(stamp.id);
  }

  match(match: {
    id: string;
    epoch: string;
    pointStep: number;
    startsAt: number;
    startsAtStamp: Stamp;
  }): void {
    this.step(steps.match);
    this.text(match.id);
    this.text(match.epoch);
    this.double(match.pointStep);
    this.double(match.startsAt);
    this.stamp(match.startsAtStamp);
  }

  players(match: number, players: readonly string[]): void {
    this.step(steps.players);
    this.uint(match);
    this.uint(players.length);
    for (const player of players) this.text(player);
  }

  contest(match: number, id: string, epoch: string): void {
    this.step(steps.contest);
    this.uint(match);
    this.text(id);
    this.text(epoch);
  }

  scoresContest(id: string, epoch: string): void {
    this.step(steps.scoresContest);
    this.text(id);
    this.text(epoch);
  }

  /** `index`: of a fantasy contest in its match; 0 for a `scores` contest. */
  prizes(space: number, index: number, prizes: number, stamp: Stamp): void {
    this.step(steps.prizes);
    this.uint(space);
    this.uint(index);
    this.double(prizes);
    this.stamp(stamp);
  }

  newEntry(
    space: number,
    entry: string,
    user: string,
    stamp: Stamp,
    contests: readonly number[],
    team: readonly number[] | null,
  ): void {
    this.stampOfEntries(stamp);
    this.step(steps.newEntry);
    this.uint(space);
    this.text(entry);
    this.text(user);
    this.uints(contests);
    this.uints(team ?? []);
  }

  changedEntry(
    space: number,
    entry: number,
    stamp: Stamp,
    contests: readonly number[],
    team: readonly number[] | null,
  ): void {
    this.stampOfEntries(stamp);
    this.step(steps.changedEntry);
    this.uint(space);
    this.uint(entry);
    this.uints(contests);
    this.uints(team ?? []);
  }

  score(space: number, entry: number, score: number, stamp: Stamp): void {
    this.step(steps.score);
    this.uint(space);
    this.uint(entry);
    this.double(score);
    this.stamp(stamp);
  }

  forget(space: number): void {
    this.step(steps.forget);
    this.uint(space);
  }

  noSpace(): void {
    this.step(steps.noSpace);
  }

  /** Entry numbers by ordinal, and 1 where the entry is gone. */
  members(
    space: number,
    index: number,
    large: boolean,
    entries: ArrayLike<number>,
    gone: ArrayLike<number>,
  ): void {
    this.step(steps.members);
    this.uint(space);
    this.uint(index);
    this.uint(large ? 1 : 0);
    this.uints(entries);
    this.uints(gone);
  }

  private stampOfEntries(stamp: Stamp): void {
    if (stamp.at === this.stampAt && stamp.id === this.stampId) return;
    this.step(steps.stamp);
    this.stamp(stamp);
    this.stampAt = stamp.at;
    this.stampId = stamp.id;
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  private clear(): void {
    this.length = 0;
    this.stampAt = Number.NaN;
    this.stampId = '';
    if (this.bytes.length <= startBytes) return;
    this.bytes = new Uint8Array(startBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
