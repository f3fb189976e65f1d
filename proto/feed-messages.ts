/**
 * The `data` of the messages that follows make: what docs/feeds.md says in words. Clients ignore a `type`
 * they do not know: back ends publish messages of their own to the same channels.
 */

/** On `feed:<user>`. */
export type FeedMessage = FollowerMessage | UnfollowerMessage;
/** `user` follows the channel's user from now on. */
interface FollowerMessage {
  type: 'follower';
  user: string;
  /** 0 to 1, at the time of the message. */
  affinity: number;
}
/** `user` follows no more, whoever ended it and how. */
interface UnfollowerMessage {
  type: 'unfollower';
  user: string;
}

/** On `user:<me>`, for all of one's devices: whether one follows `other` from now on. */
export interface FollowingNotice {
  type: 'following';
  other: string;
  state: 'following' | 'none';
}
