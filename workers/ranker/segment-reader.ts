import { Members } from './members.ts';
import { putFantasyEntry, putScore, putScoresEntry } from './put-entry.ts';
import {
  addPlayers,
  growIfLarge,
  type MatchState,
  newFantasyContest,
  newMatch,
  newScoresContest,
  type RankerState,
  type ScoresContest,
} from './ranker-state.ts';
import { segmentFormat, steps } from './segment-writer.ts';
import { noStamp, type Stamp } from './stamps.ts';

/**
 * Plays a segment into a state, in the order it was written. Spaces of `isGone` have been forgotten since:
 * they keep their numbers and nothing else. Throws where the bytes are not a segment.
 */
export function playSegment(
  state: RankerState,
  segment: Uint8Array,
  isGone: (space: number) => boolean,
): void {
  if (segment.length === 0) return;
  const reader = new Reader(segment);
  const format = reader.byte();
  if (format !== segmentFormat)
    throw new Error(`a segment of format ${format}; this ranker reads ${segmentFormat}`);
  const player = new Player(state, reader, isGone);
  while (!reader.isDone()) player.step(reader.byte());
}

class Player {
  private readonly state: RankerState;
  private readonly reader: Reader;
  private readonly isGone: (space: number) => boolean;
  private stamp: Stamp = noStamp;
  /** Number of the stamp in the table of the space it was last used in. */
  private stampSpace: MatchState | ScoresContest | null = null;
  private stampNumber = 0;

  constructor(state: RankerState, reader: Reader, isGone: (space: number) => boolean) {
    this.state = state;
    this.reader = reader;
    this.isGone = isGone;
  }

  step(step: number): void {
    const { reader } = this;
    switch (step) {
      case steps.match:
        this.match();
        break;
      case steps.players:
        this.players();
        break;
      case steps.contest:
        this.contest();
        break;
      case steps.scoresContest:
        this.scoresContest();
        break;
      case steps.prizes:
        this.prizes();
        break;
      case steps.stamp:
        this.stamp = reader.stamp();
        this.stampSpace = null;
        break;
      case steps.newEntry:
        this.entry(true);
        break;
      case steps.changedEntry:
        this.entry(false);
        break;
      case steps.score:
        this.score();
        break;
      case steps.forget:
        // The head says the same of the whole: what is forgotten was not made.
        reader.uint();
        break;
      case steps.noSpace:
        this.state.spaces.push(null);
        break;
      case steps.members:
        this.members();
        break;
      default:
        throw new Error(`byte ${reader.at - 1} of the segment: no step ${step}`);
    }
  }

  private space(): MatchState | ScoresContest | null {
    const no = this.reader.uint();
    const space = this.state.spaces[no];
    if (space === undefined) throw new Error(`byte ${this.reader.at} of the segment: no space ${no}`);
    return space;
  }

  private match(): void {
    const { reader, state } = this;
    const id = reader.text();
    const epoch = reader.text();
    const pointStep = reader.double();
    const startsAt = reader.double();
    const stamp = reader.stamp();
    if (this.isGone(state.spaces.length)) state.spaces.push(null);
    else newMatch(state, id, epoch, pointStep, startsAt, stamp);
  }

  private players(): void {
    const space = this.space();
    const players: string[] = [];
    for (let left = this.reader.uint(); left > 0; left -= 1) players.push(this.reader.text());
    if (space !== null) addPlayers(space as MatchState, players, 0);
  }

  private contest(): void {
    const match = this.space();
    const id = this.reader.text();
    const epoch = this.reader.text();
    if (match !== null) newFantasyContest(this.state, match as MatchState, id, epoch);
  }

  private scoresContest(): void {
    const id = this.reader.text();
    const epoch = this.reader.text();
    if (this.isGone(this.state.spaces.length)) this.state.spaces.push(null);
    else newScoresContest(this.state, id, epoch);
  }

  private prizes(): void {
    const space = this.space();
    const index = this.reader.uint();
    const prizes = this.reader.double();
    const stamp = this.reader.stamp();
    if (space === null) return;
    const contest = 'kind' in space ? space : space.contests[index]!;
    contest.prizes = prizes;
    contest.prizesStamp = stamp;
  }

  private entry(isNew: boolean): void {
    const { reader, state } = this;
    const space = this.space();
    const entry = isNew ? -1 : reader.uint();
    const item = { entry: isNew ? reader.text() : '', user: isNew ? reader.text() : '' };
    const contests = reader.uints();
    const team = reader.uints();
    if (space === null) return;
    if (this.stampSpace !== space) {
      this.stampSpace = space;
      this.stampNumber = space.table.stamps.add(this.stamp);
    }
    const { stampNumber } = this;
    if ('kind' in space) putScoresEntry(state, space, item, entry, stampNumber, contests.length > 0);
    else {
      const change = { item, entry, stampNumber, contests, team: team.length === 0 ? null : team };
      putFantasyEntry(state, space, change, 0);
    }
  }

  private score(): void {
    const space = this.space();
    const entry = this.reader.uint();
    const score = this.reader.double();
    const stamp = this.reader.stamp();
    if (space === null || !('kind' in space)) return;
    space.scoreStamps.set(entry, space.table.stamps.add(stamp));
    putScore(this.state, space, entry, score);
  }

  private members(): void {
    const space = this.space();
    const index = this.reader.uint();
    const large = this.reader.uint() === 1;
    const entries = this.reader.uints();
    const gone = this.reader.uints();
    if (space === null) return;
    const contest = 'kind' in space ? space : space.contests[index]!;
    contest.members = membersOf(entries, gone);
    if (contest.kind === 'fantasy') growIfLarge(this.state, contest, 0, large);
  }
}

function membersOf(entries: readonly number[], gone: readonly number[]): Members {
  const members = new Members();
  for (let ordinal = 0; ordinal < entries.length; ordinal += 1) {
    members.append(entries[ordinal]!);
    if (gone[ordinal] === 1) members.setPresent(ordinal, false);
  }
  return members;
}

class Reader {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isDone(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new Error(`the segment ends at byte ${this.at}, within a step`);
    this.at += 1;
    return value;
  }

  uint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Error(`byte ${this.at} of the segment: a number of more than five bytes`);
  }

  double(): number {
    if (this.at + 8 > this.bytes.length)
      throw new Error(`the segment ends at byte ${this.at}, within a double`);
    const value = this.view.getFloat64(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const length = this.byte();
    if (this.at + length > this.bytes.length)
      throw new Error(`the segment ends at byte ${this.at}, within a text`);
    let text = '';
    for (let i = 0; i < length; i += 1) text += String.fromCharCode(this.bytes[this.at + i]!);
    this.at += length;
    return text;
  }

  uints(): number[] {
    const length = this.uint();
    const values: number[] = [];
    for (let i = 0; i < length; i += 1) values.push(this.uint());
    return values;
  }

  stamp(): Stamp {
    const at = this.double();
    return { at, id: this.text() };
  }
}
