import type { Unsubscribe } from '../bus/bus.ts';
import { ContestMirror } from './contest-mirror.ts';
import { Followed, type FollowListener, type FollowParts } from './followed.ts';
import { decodeMatchNews, type MatchNews } from './followed-match.ts';
import type { Taken } from './match-mirror.ts';
import { decodeContestFrame, decodeContestSnapshot } from './message-codec.ts';
import {
  type ContestFrame,
  type ContestSnapshot,
  contestTopic,
  type MatchFrame,
  matchTopic,
} from './messages.ts';
import type { Wanted } from './want-queue.ts';

export interface ContestListener extends FollowListener {
  /** The mirror is new, or has been replaced by a newer state: anything may have changed. */
  onSnapshot(mirror: ContestMirror): void;
  /** The mirror has taken a frame. */
  onFrame(mirror: ContestMirror, change: ContestChange): void;
}

/** What a frame says beside the new state. */
export interface ContestChange {
  /** false: the version has moved and nothing else. */
  touched: boolean;
  /** Users whose entries came, left or (fantasy) changed; `null`: it may be anybody's. */
  users: readonly string[] | null;
  /** `scores` contests: entries whose score was set, that came, or left (null). */
  scores: readonly (readonly [entry: string, user: string, score: number | null])[];
}

type News = { own: ContestFrame; match: null } | { own: null; match: MatchNews };

/**
 * Small contests hear the match's topic, large ones and `scores` contests their own. Which a fantasy contest
 * is shows in its snapshot; where that needs another topic, it is heard first and the snapshot asked for
 * again.
 */
export class FollowedContest extends Followed<ContestSnapshot, News> {
  mirror: ContestMirror | null = null;
  readonly #listener: ContestListener;
  #ownTopic: Unsubscribe | null = null;
  #matchTopic: Unsubscribe | null = null;

  constructor(id: string, parts: FollowParts, listener: ContestListener) {
    super('contest', id, parts, listener);
    this.#listener = listener;
  }

  /** The match whose heads are this contest's; `null`: it has heads of its own. */
  get followsMatch(): string | null {
    return this.mirror?.small === true ? this.mirror.match : null;
  }

  protected state(): ContestMirror | null {
    return this.mirror;
  }
  /** A small contest may have become large without a change of its version. */
  protected differs(snapshot: ContestSnapshot): boolean {
    return this.mirror!.small !== (snapshot.entries !== null);
  }
  protected versionOf(news: News): number {
    return news.own?.version ?? news.match!.frame.version;
  }

  protected install(snapshot: ContestSnapshot): void {
    this.mirror = new ContestMirror(snapshot);
    this.#listener.onSnapshot(this.mirror);
  }

  protected apply(news: News): Taken {
    const mirror = this.mirror!;
    // Heard only between two topics: what the other one says is not for this state.
    if (news.match !== null && !mirror.small) return 'old';
    const own = news.match?.contests.get(this.id) ?? null;
    const taken = news.match === null ? mirror.take(news.own) : mirror.takeMatch(news.match.frame, own);
    if (taken === 'taken') {
      const change = news.match === null ? ownChange(mirror, news.own) : smallChange(news.match.frame, own);
      this.#listener.onFrame(mirror, change);
    }
    return taken;
  }

  protected want(partition: number): Promise<Wanted<ContestSnapshot>> {
    return this.parts.wants.contest(partition, this.id);
  }

  protected async listen(snapshot: ContestSnapshot | null): Promise<boolean> {
    const { kind, match } = this.place!;
    const own = kind === 'scores' || match === null || (snapshot !== null && snapshot.entries === null);
    const has = own ? this.#ownTopic : this.#matchTopic;
    if (has === null) {
      if (own) await this.#hearOwn();
      else await this.#hearMatch(match!);
      return true;
    }
    if (snapshot !== null) this.#leaveOther(own);
    return false;
  }

  async #hearOwn(): Promise<void> {
    this.#ownTopic = await this.hear(contestTopic(this.id), decodeContestFrame, (own) => {
      this.incoming({ own, match: null });
    });
  }
  async #hearMatch(match: string): Promise<void> {
    this.#matchTopic = await this.hear(matchTopic(match), decodeMatchNews, (news) => {
      this.incoming({ own: null, match: news });
    });
  }

  #leaveOther(own: boolean): void {
    if (own) {
      this.#matchTopic?.();
      this.#matchTopic = null;
    } else {
      this.#ownTopic?.();
      this.#ownTopic = null;
    }
  }

  protected leave(): void {
    this.#ownTopic?.();
    this.#matchTopic?.();
    this.#ownTopic = null;
    this.#matchTopic = null;
  }

  protected async kept(): Promise<ContestSnapshot | null> {
    const [bytes] = await this.parts.lookup.get([`frame_${this.id}`]);
    return bytes === null || bytes === undefined ? null : decodeContestSnapshot(bytes);
  }
}

function ownChange(mirror: ContestMirror, frame: ContestFrame): ContestChange {
  if (mirror.kind === 'fantasy') return { touched: true, users: frame.changedUsers, scores: [] };
  const { changedScores } = frame;
  return { touched: true, users: changedScores === null ? null : [], scores: changedScores ?? [] };
}

function smallChange(frame: MatchFrame, own: MatchFrame['contests'][number] | null): ContestChange {
  return {
    touched: own !== null || frame.players.length > 0 || frame.final,
    users: own?.entries?.map((entry) => entry[2]) ?? [],
    scores: [],
  };
}
