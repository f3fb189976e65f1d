import type { Bus } from '../bus/bus.ts';
import type { Lookup } from '../lookup/lookup.ts';
import type { ContestModel } from './contest-model.ts';
import {
  decodeQuestion,
  encodeContestFrame,
  encodeContestSnapshot,
  encodeHeads,
  encodeMatchFrame,
  encodeWantAnswer,
  encodeWhoAnswer,
} from './message-codec.ts';
import {
  type ContestPlace,
  contestTopic,
  headsTopic,
  matchTopic,
  rankerSubject,
  type WantAnswer,
  type WhoAnswer,
} from './messages.ts';

/** The obvious model behind a bus, for tests: answers `want` and `who`, publishes a frame per tick. */
export class ModelRanker {
  readonly model: ContestModel;
  readonly bus: Bus;
  /** It answers nothing and publishes nothing. */
  silent = false;
  /** Answers `who` (or `want`) as of an earlier moment, or in another way. */
  alterWho: (answer: WhoAnswer) => WhoAnswer = (answer) => answer;
  alterWant: (answer: WantAnswer) => WantAnswer = (answer) => answer;
  /** Frames say null for what changed. */
  tooMany = false;
  readonly whoSizes: number[] = [];
  readonly wantSizes: number[] = [];
  renewals = 0;
  /** Version of the last frame, by topic. */
  readonly bases = new Map<string, number>();

  constructor(model: ContestModel, bus: Bus) {
    this.model = model;
    this.bus = bus;
  }

  async start(lookup: Lookup): Promise<this> {
    for (const [id, contest] of this.model.contests) {
      const match = contest.kind === 'fantasy' ? 'm1' : null;
      await putPlace(lookup, `contest_${id}`, { partition: 0, kind: contest.kind, match, epoch: `e-${id}` });
    }
    await putPlace(lookup, 'match_m1', { partition: 0, kind: 'match', match: 'm1', epoch: 'em' });
    await this.bus.answer(rankerSubject(0), async (question) =>
      this.silent ? null : this.#answer(question),
    );
    return this;
  }

  /** A frame for everything wanted that has a newer version. */
  async tick(): Promise<void> {
    if (this.silent) return;
    for (const [topic, base] of [...this.bases]) {
      if (base === this.model.version) continue;
      this.bases.set(topic, this.model.version);
      await this.publish(topic, base);
    }
  }

  /** The frame (base, now] of a topic. */
  async publish(topic: string, base: number): Promise<void> {
    if (topic === matchTopic('m1')) {
      await this.bus.publish(topic, encodeMatchFrame(this.model.matchFrame(base)));
      return;
    }
    const frame = this.model.contestFrame(topic.slice(2), base);
    if (this.tooMany) {
      frame.changedUsers = null;
      frame.changedScores = null;
    }
    await this.bus.publish(topic, encodeContestFrame(frame));
  }

  async heads(): Promise<void> {
    if (this.silent) return;
    const { version } = this.model;
    const contests = [...this.bases].filter(([topic]) => topic.startsWith('c:'));
    await this.bus.publish(
      headsTopic(0),
      encodeHeads({
        partition: 0,
        replica: 0,
        version,
        contests: contests.map(([topic, base]) => [topic.slice(2), base]),
        matches: this.bases.has('m:m1') ? [['m1', this.bases.get('m:m1')!]] : [],
      }),
    );
  }

  /** As rankers do at most once a second. */
  async keep(lookup: Lookup, id: string): Promise<void> {
    await lookup.put(`frame_${id}`, this.model.version, encodeContestSnapshot(this.model.snapshot(id)), 0);
  }

  #answer(bytes: Uint8Array): Uint8Array | null {
    const question = decodeQuestion(bytes);
    if (question.q === 'who') {
      this.whoSizes.push(question.users.length);
      return encodeWhoAnswer(this.alterWho(this.model.who(question.contest, question.users)));
    }
    if (question.q !== 'want') return null;
    this.renewals += question.renewContests.length + question.renewMatches.length;
    if (question.contests.length + question.matches.length > 0) {
      this.wantSizes.push(question.contests.length + question.matches.length);
    }
    for (const id of [...question.contests, ...question.renewContests]) this.#watch(id);
    if (question.matches.length + question.renewMatches.length > 0) this.#watchTopic(matchTopic('m1'));
    const { version } = this.model;
    const answer: WantAnswer = {
      version,
      contests: question.contests.map((id) => (this.model.contests.has(id) ? this.model.snapshot(id) : null)),
      matches: question.matches.map((id) => (id === 'm1' ? this.model.match() : null)),
    };
    return encodeWantAnswer(this.alterWant(answer));
  }

  #watch(id: string): void {
    const contest = this.model.contests.get(id);
    if (contest === undefined) return;
    const small = contest.kind === 'fantasy' && !contest.large;
    this.#watchTopic(small ? matchTopic('m1') : contestTopic(id));
  }
  #watchTopic(topic: string): void {
    if (!this.bases.has(topic)) this.bases.set(topic, this.model.version);
  }
}

async function putPlace(lookup: Lookup, key: string, place: ContestPlace): Promise<void> {
  await lookup.put(key, 0, new TextEncoder().encode(JSON.stringify(place)), 0);
}
