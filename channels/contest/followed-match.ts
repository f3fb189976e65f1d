import type { Unsubscribe } from '../bus/bus.ts';
import { Followed, type FollowListener, type FollowParts } from './followed.ts';
import { MatchMirror, type Taken } from './match-mirror.ts';
import { decodeMatchFrame } from './message-codec.ts';
import { type MatchFrame, type MatchSnapshot, matchTopic } from './messages.ts';
import type { Wanted } from './want-queue.ts';

/** What comes on a match's topic, with what it says of each small contest ready to be found. */
export interface MatchNews {
  frame: MatchFrame;
  contests: ReadonlyMap<string, MatchFrame['contests'][number]>;
}

export function decodeMatchNews(bytes: Uint8Array): MatchNews {
  const frame = decodeMatchFrame(bytes);
  return { frame, contests: new Map(frame.contests.map((own) => [own.contest, own])) };
}

export interface MatchListener extends FollowListener {
  /** The mirror is new, or has been replaced by a newer state. */
  onSnapshot(mirror: MatchMirror): void;
  /** The mirror has taken the frame; it had `playersBefore` players. */
  onFrame(mirror: MatchMirror, frame: MatchFrame, playersBefore: number): void;
}

export class FollowedMatch extends Followed<MatchSnapshot, MatchNews> {
  mirror: MatchMirror | null = null;
  readonly #listener: MatchListener;
  #unsubscribe: Unsubscribe | null = null;

  constructor(id: string, parts: FollowParts, listener: MatchListener) {
    super('match', id, parts, listener);
    this.#listener = listener;
  }

  protected state(): MatchMirror | null {
    return this.mirror;
  }
  protected differs(): boolean {
    return false;
  }
  protected versionOf(news: MatchNews): number {
    return news.frame.version;
  }

  protected install(snapshot: MatchSnapshot): void {
    this.mirror = new MatchMirror(snapshot);
    this.#listener.onSnapshot(this.mirror);
  }

  protected apply({ frame }: MatchNews): Taken {
    const mirror = this.mirror!;
    const playersBefore = mirror.totals.names.length;
    const taken = mirror.take(frame);
    if (taken === 'taken') this.#listener.onFrame(mirror, frame, playersBefore);
    return taken;
  }

  protected want(partition: number): Promise<Wanted<MatchSnapshot>> {
    return this.parts.wants.match(partition, this.id);
  }

  protected async listen(): Promise<boolean> {
    if (this.#unsubscribe !== null) return false;
    this.#unsubscribe = await this.hear(matchTopic(this.id), decodeMatchNews, (news) => this.incoming(news));
    return true;
  }

  protected leave(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Nothing is kept of a match alone. */
  protected async kept(): Promise<MatchSnapshot | null> {
    return null;
  }
}
