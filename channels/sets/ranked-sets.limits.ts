import { ClientError } from '../../proto/codes.ts';

/** What all sorted sets take, wherever they are kept. */
const membersMax = 500;
const placesMax = 5_000;
const nameBytesMax = 255;

export function checkMembers(set: string, members: readonly string[]): void {
  if (members.length <= membersMax) return;
  const asked = `${members.length} members of ${set} were asked for`;
  throw new ClientError('bad_field', `${asked}; at most ${membersMax} are answered.`);
}

export function checkPlaces(places: readonly unknown[]): void {
  if (places.length <= placesMax) return;
  const sentence = `${places.length} places were asked for; at most ${placesMax} are answered.`;
  throw new ClientError('bad_field', sentence);
}

export function checkRow(set: string, member: string, score: number | null): void {
  checkName(set);
  checkName(member);
  if (score === null || Number.isFinite(score)) return;
  const sentence = `The score of ${member} in ${set} is ${score}; it must be a finite number.`;
  throw new ClientError('bad_field', sentence);
}

/** Within the length of a key: an action that throws half way would leave a set that contradicts itself. */
export function checkName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes >= 1 && bytes <= nameBytesMax) return;
  const sentence = `A set or member has ${bytes} bytes; it must have 1 to ${nameBytesMax}.`;
  throw new ClientError('bad_field', sentence);
}

/** -0 and 0 are one place in the order. */
export const plain = (score: number): number => score + 0;
