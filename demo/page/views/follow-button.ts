/** Follows or unfollows one user; says which, and when the gateway has not told yet. */
import { button, setAttribute, write } from '../element.ts';
import type { Follows } from '../follows.ts';
import { userName } from '../format.ts';

export interface FollowButton {
  root: HTMLButtonElement;
  show(): void;
}

export function createFollowButton(user: string, follows: Follows, idle = 'Follow'): FollowButton {
  const root = button(idle, { class: 'follow', 'data-follow': user }, () => follows.toggle(user));
  const show = (): void => {
    const isFollowing = follows.isFollowing(user);
    const isAsking = follows.isAsking(user);
    write(root, isAsking ? '…' : isFollowing ? 'Following' : idle);
    setAttribute(root, 'aria-pressed', String(isFollowing));
    setAttribute(root, 'aria-busy', String(isAsking));
    setAttribute(root, 'aria-label', `${isFollowing ? 'Following' : idle} ${userName(user)}`);
  };
  show();
  return { root, show };
}
