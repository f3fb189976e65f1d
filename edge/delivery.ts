import type { Session } from './session.ts';

/**
 * Slow sockets. The buffer belongs to the socket, not to a channel: one frame dropped means that every
 * channel of the socket may have a hole.
 *
 * So the socket leaves all native topics at once, and nothing of state channels is sent to it any more. With
 * a log channel it is ended with `slow`: the client reconnects and resumes by position. With state channels
 * only it is given the newest state of each once it has drained, and joins the topics again; the versions in
 * between it never sees. An answer to a request must not be lost either: where one was dropped, the socket
 * is ended.
 */
export function onDropped(session: Session): void {
  if (session.closed) return;
  const { stats } = session.core;
  stats.dropped++;
  if (session.hasLogs) {
    endSlow(session, 'Messages of a log channel did not fit the buffer of this socket.');
    return;
  }
  if (session.choked) return;
  session.choked = true;
  for (const subscription of session.subscriptions) subscription.choke();
}

/** The buffer is empty again. */
export function onDrained(session: Session): void {
  if (session.closed || !session.choked) return;
  session.choked = false;
  session.core.stats.conflated++;
  for (const subscription of [...session.subscriptions]) {
    subscription.resend();
    if (session.choked || session.closed) return;
  }
}

/** Something was dropped that must not be. */
export function endSlow(session: Session, why: string): void {
  session.core.stats.endedSlow++;
  session.end('slow', why);
}
