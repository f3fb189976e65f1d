import type { Lookup } from './lookup.ts';

/**
 * A user as others see them, kept in a Lookup as `profile_<user>`, with the stamp (`at`, `id`) of its record.
 */
export interface Profile {
  user: string;
  name: string;
  /** A URL. */
  avatar?: string;
  at: number;
  id: string;
}

/** Kept unless a profile with a later `at` is; between equal times whoever calls decides. */
export function putProfile(lookup: Lookup, profile: Profile): Promise<void> {
  return lookup.put(profileKey(profile.user), profile.at, Buffer.from(JSON.stringify(profile)), 0);
}

/** In the order of the users (at most 500), `null` for one without a profile. */
export async function profiles(lookup: Lookup, users: readonly string[]): Promise<(Profile | null)[]> {
  const values = await lookup.get(users.map(profileKey));
  return values.map((value) => (value === null ? null : decode(value)));
}

function profileKey(user: string): string {
  return `profile_${user}`;
}

function decode(value: Uint8Array): Profile {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as Profile;
}
