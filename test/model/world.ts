import type { ContestEvent, EntryItem } from '../../proto/records.ts';
import type { ModelLimits } from './model.ts';
import type { Random } from './random.ts';

/**
 * A little world of matches, contests and users whose records come in every order and shape that a log may
 * hold: mostly in order, some late, some twice, some wrong in one of the ways the rules name.
 */
export class World {
  readonly limits: ModelLimits & { topRows: number; changedUsersMax: number; changedScoresMax: number };
  readonly users: string[];
  readonly entries: string[];
  readonly contests: string[];
  readonly scoresContests: string[];
  readonly matches: string[];
  private readonly random: Random;
  private readonly players: string[];
  private readonly pointSteps: (1 | 0.5)[];
  private readonly stepsMax: number;
  private readonly recent: ContestEvent[] = [];
  private readonly finals: number;
  /** Event time; records are stamped around it. */
  private now = 1_000;
  private records = 0;

  constructor(random: Random) {
    this.random = random;
    const tight = random.chance(0.3);
    this.limits = {
      smallContestEntriesMax: random.pick([3, 8, 20, 1_000]),
      playersPerMatchMax: tight ? 15 : 200,
      entriesPerMatchMax: tight ? random.between(10, 40) : 1_000,
      entriesPerContestMax: tight ? random.between(5, 30) : 1_000,
      entriesPerUserMax: tight ? random.between(2, 6) : 1_000,
      contestsPerEntryMax: tight ? 3 : 100,
      contestsPerMatchMax: tight ? 4 : 1_000,
      topRows: random.pick([1, 5, 20]),
      changedUsersMax: random.pick([3, 1_000]),
      changedScoresMax: random.pick([3, 5_000]),
    };
    this.players = names('p', random.between(13, 18));
    this.users = names('u', random.between(3, 15));
    this.entries = names('e', random.pick([8, 25, 60])).map((name, i) =>
      i % 5 === 0 ? `${name}-_${'Zz9'.repeat(i % 11)}` : name,
    );
    this.matches = names('m', random.between(1, 3));
    this.contests = names('c', random.between(1, 8));
    this.scoresContests = names('s', random.between(0, 3));
    this.pointSteps = this.matches.map(() => random.pick([1, 0.5] as const));
    this.stepsMax = random.pick([3, 60, 2_000, 10_000]);
    this.finals = random.pick([0, 0.0005, 0.003]);
  }

  next(): ContestEvent {
    const { random } = this;
    this.records += 1;
    this.now += random.below(4);
    if (this.recent.length > 0 && random.chance(0.06)) return random.pick(this.recent);
    const record = this.records < 30 && random.chance(0.5) ? this.opening() : this.any();
    if (this.recent.length < 50) this.recent.push(record);
    else this.recent[random.below(50)] = record;
    return record;
  }

  private any(): ContestEvent {
    const { random } = this;
    if (random.chance(this.finals)) return this.final();
    const choice = random.next();
    if (choice < 0.3) return this.points();
    if (choice < 0.65) return this.teams();
    if (choice < 0.72) return this.scoresContests.length === 0 ? this.points() : this.quiz();
    if (choice < 0.9) return this.scoresContests.length === 0 ? this.teams() : this.score();
    if (choice < 0.94) return this.match();
    if (choice < 0.99) return this.contest();
    return this.stray();
  }

  private opening(): ContestEvent {
    return this.random.chance(0.4) ? this.match() : this.contest();
  }

  /** Ids of few values and times close together: ties and latecomers are common. */
  private head(): { id: string; at: number } {
    const { random } = this;
    return {
      id: `r${random.below(40)}`,
      at: Math.max(0, this.now - (random.chance(0.2) ? random.below(60) : 0)),
    };
  }

  private match(): ContestEvent {
    const { random } = this;
    const at = random.below(this.matches.length);
    const step = this.pointSteps[at]!;
    const soon = random.chance(0.15) ? -random.below(50) : random.between(100, 3_000);
    return {
      type: 'match',
      ...this.head(),
      match: this.matches[at]!,
      players: random.some(this.players, random.chance(0.5) ? this.players.length : random.below(14)),
      startsAt: Math.max(0, this.now + soon),
      pointStep: random.chance(0.05) ? (step === 1 ? 0.5 : 1) : step,
    };
  }

  private contest(): ContestEvent {
    const { random } = this;
    const prizes = random.chance(0.5) ? { prizes: random.below(9) } : {};
    const isScores = this.scoresContests.length > 0 && random.chance(0.3);
    const contest = isScores ? random.pick(this.scoresContests) : random.pick(this.contests);
    if (isScores !== random.chance(0.03))
      return { type: 'contest', ...this.head(), contest, kind: 'scores', ...prizes };
    // A contest mostly keeps its match.
    const at = random.chance(0.05) ? random.below(9) : this.contests.indexOf(contest);
    const match = this.matches[at % this.matches.length] ?? 'm0';
    return { type: 'contest', ...this.head(), contest, kind: 'fantasy', match, ...prizes };
  }

  private teams(): ContestEvent {
    const { random } = this;
    const at = random.below(this.matches.length);
    const own = this.contests.filter((_, i) => i % this.matches.length === at);
    const items: EntryItem[] = [];
    for (let left = random.chance(0.8) ? random.between(1, 3) : random.between(4, 20); left > 0; left -= 1) {
      items.push(this.team(own));
    }
    return { type: 'entries', ...this.head(), match: this.matches[at]!, entries: items };
  }

  private team(contests: readonly string[]): EntryItem {
    const { random } = this;
    const item = this.item();
    if (random.chance(0.12)) return { ...item, contests: [] };
    const picked = random.some(contests, random.between(1, 3));
    if (random.chance(0.02)) picked.push(random.pick([...this.contests, ...this.scoresContests, 'c99']));
    const players = random.some(this.players, 11);
    const [captain = '', viceCaptain = ''] = random.some(players, 2);
    const team: EntryItem = { ...item, contests: picked, players, captain, viceCaptain };
    if (random.chance(0.03)) this.spoil(team, players);
    return team;
  }

  private spoil(team: EntryItem, players: string[]): void {
    const { random } = this;
    switch (random.below(6)) {
      case 0:
        team.players = players.slice(1);
        break;
      case 1:
        team.players = [...players.slice(1), players[1]!];
        break;
      case 2:
        team.captain = team.viceCaptain!;
        break;
      case 3:
        delete team.captain;
        break;
      case 4:
        team.viceCaptain = 'p99';
        break;
      default:
        team.players = players.map((player) =>
          player === team.captain || player === team.viceCaptain ? player : 'p99',
        );
    }
  }

  private item(): EntryItem {
    const { random } = this;
    const at = random.below(this.entries.length);
    const user = random.chance(0.03) ? random.pick(this.users) : this.users[at % this.users.length]!;
    return { entry: this.entries[at]!, user, contests: [] };
  }

  private quiz(): ContestEvent {
    const { random } = this;
    const contest = random.chance(0.03)
      ? random.pick([...this.contests, 's99'])
      : random.pick(this.scoresContests);
    const items: EntryItem[] = [];
    for (let left = random.between(1, 6); left > 0; left -= 1) {
      const item = this.item();
      if (random.chance(0.8)) item.contests = [contest];
      if (random.chance(0.03))
        item.contests = [random.pick([...this.contests, ...this.scoresContests, 'c99'])];
      if (random.chance(0.02)) item.captain = 'p1';
      items.push(item);
    }
    return { type: 'entries', ...this.head(), contest, entries: items };
  }

  private points(): ContestEvent {
    const { random } = this;
    const at = random.below(this.matches.length);
    const step = this.pointSteps[at]!;
    let points = random.between(-Math.floor(this.stepsMax / 4), this.stepsMax) * step;
    if (random.chance(0.02)) points += step / 2;
    if (random.chance(0.01)) points = 10_001 * step;
    const label = random.chance(0.3) ? { label: `over ${random.below(50)}` } : {};
    const player = random.chance(0.02) ? 'p99' : random.pick(this.players);
    return { type: 'points', ...this.head(), match: this.matches[at]!, player, points, ...label };
  }

  private score(): ContestEvent {
    const { random } = this;
    const contest = random.chance(0.02) ? random.pick(this.contests) : random.pick(this.scoresContests);
    const wide = random.chance(0.1) ? Number.MAX_SAFE_INTEGER : random.pick([5, 1_000]);
    const score = random.between(0, wide) * random.pick([1, 1, -1]) + 0;
    return { type: 'score', ...this.head(), contest, entry: random.pick(this.entries), score };
  }

  private final(): ContestEvent {
    const { random } = this;
    if (random.chance(0.5)) return { type: 'final', ...this.head(), match: random.pick(this.matches) };
    return {
      type: 'final',
      ...this.head(),
      contest: random.pick([...this.scoresContests, ...this.contests]),
    };
  }

  /** Of a match or contest that there is not. */
  private stray(): ContestEvent {
    const { random } = this;
    switch (random.below(4)) {
      case 0:
        return { type: 'points', ...this.head(), match: 'm99', player: 'p1', points: 1 };
      case 1:
        return { type: 'score', ...this.head(), contest: 's99', entry: 'e1', score: 1 };
      case 2:
        return { type: 'final', ...this.head(), match: 'm99' };
      default:
        return { type: 'entries', ...this.head(), match: 'm99', entries: [this.team(this.contests)] };
    }
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
