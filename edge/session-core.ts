import type { LiveCore } from './live-core.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';
import type { Verifier } from './verifier/verifier.ts';

/** What a session needs of its edge. */
export interface SessionCore extends LiveCore {
  readonly verifier: Verifier;
  /** Name of the edge, the first part of sessions' names. */
  readonly edge: string;
  /** Whether the user has as many sockets here as a user may. */
  userIsFull(user: string): boolean;
  /** Its user is known. */
  onReady(session: Session): void;
  /** It takes and sends nothing any more. */
  onClosed(session: Session, wasReady: boolean): void;
  /** It was ended from here: cut it if the close does not get through. */
  onEnded(session: Session): void;
  /** The socket is gone. */
  onGone(session: Session): void;
  onSubscribed(subscription: Subscription): void;
  onUnsubscribed(subscription: Subscription): void;
}
