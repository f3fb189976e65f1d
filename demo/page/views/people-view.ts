/** Fans: who follows me, as they come; who sits at the other windows. */
import { byId, element, setAttribute, write } from '../element.ts';
import type { Follower, Follows } from '../follows.ts';
import { ago, count, monogram, userName } from '../format.ts';
import { glideRows } from '../motion.ts';
import { createFollowButton, type FollowButton } from './follow-button.ts';

const followersShown = 6;

export interface PeopleView {
  show(others: readonly string[]): void;
}
interface Person {
  root: HTMLElement;
  when: HTMLElement;
  follow: FollowButton;
}

export function createPeopleView(follows: Follows): PeopleView {
  const followers = createPersonList(byId('followers'), follows, 'Follow back');
  const others = createPersonList(byId('others'), follows, 'Follow');
  return {
    show: (users) => {
      write(byId('followers-total'), follows.total === null ? '' : count(follows.total));
      byId('no-followers').hidden = follows.total !== 0 || follows.followers.length > 0;
      setAttribute(byId('followers'), 'aria-busy', String(follows.total === null));
      followers.show(follows.followers.slice(0, followersShown));
      byId('no-others').hidden = users.length > 0;
      others.show(users.map((user) => ({ user, at: null })));
    },
  };
}

function createPersonList(list: HTMLElement, follows: Follows, idle: string) {
  const known = new Map<string, Person>();
  return {
    show: (people: readonly Follower[]): void => {
      const wanted = people.map(({ user, at }) => {
        const person = known.get(user) ?? createPerson(user, follows, idle);
        known.set(user, person);
        write(person.when, at === null ? '' : ago(Date.now() - at));
        person.follow.show();
        return person.root;
      });
      const same =
        wanted.length === list.children.length && wanted.every((root, at) => list.children[at] === root);
      if (!same) glideRows(list, () => list.replaceChildren(...wanted));
      const there = new Set(people.map(({ user }) => user));
      for (const user of known.keys()) if (!there.has(user)) known.delete(user);
    },
  };
}

function createPerson(user: string, follows: Follows, idle: string): Person {
  const when = element('span', { class: 'when' });
  const follow = createFollowButton(user, follows, idle);
  const root = element(
    'li',
    { 'data-user': user },
    element('span', { class: 'monogram', 'aria-hidden': 'true' }, monogram(user)),
    element('span', { class: 'name' }, userName(user)),
    when,
    follow.root,
  );
  return { root, when, follow };
}
