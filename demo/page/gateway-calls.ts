/** What the page asks of the gateway's HTTP interface beside the SDK: follows and lists, as its user. */
import type { DemoClient } from './demo-client.ts';
import type { Line } from './line.ts';

export interface UserList {
  total: number;
  users: string[];
}
export interface GatewayCalls {
  follow(other: string): Promise<void>;
  unfollow(other: string): Promise<void>;
  followers(limit: number): Promise<UserList>;
  following(limit: number): Promise<UserList>;
}

export function createGatewayCalls(me: DemoClient, line: Line): GatewayCalls {
  const mine = `${location.origin}/v1/users/${me.user}`;
  async function ask(method: string, url: string): Promise<unknown> {
    if (line.down) throw new Error('Your connection is cut.');
    const answer = await fetch(url, { method, headers: { authorization: `Bearer ${await me.token()}` } });
    const body = (await answer.json()) as { error?: { message: string } };
    if (!answer.ok) throw new Error(body.error?.message ?? `The gateway answered ${answer.status}.`);
    return body;
  }
  async function list(what: string, limit: number): Promise<UserList> {
    const { total, items } = (await ask('GET', `${mine}/${what}?limit=${limit}`)) as {
      total: number;
      items: { user: string }[];
    };
    return { total, users: items.map(({ user }) => user) };
  }
  return {
    follow: async (other) => void (await ask('PUT', `${mine}/following/${other}`)),
    unfollow: async (other) => void (await ask('DELETE', `${mine}/following/${other}`)),
    followers: (limit) => list('followers', limit),
    following: (limit) => list('following', limit),
  };
}
