import { createHash } from 'node:crypto';
import { accumulate, affinityOfFollow, storedAffinity } from '../../channels/sets/affinity.ts';
import type { CodeName } from '../../proto/codes.ts';
import type { GraphChange, GraphCommand } from '../../proto/records.ts';
import type { PairState } from './graph.ts';
import { greatest, isGreater } from './stamp.ts';

/**
 * What a graph command does to a pair of users. Pure: the log's order and timestamps decide, no clock is
 * read.
 *
 * Three registers are kept per directed pair, each with the stamp (`at`, `id`) that set it: the follow, its
 * affinity, and the block. Whatever becomes of a command, the register it speaks of then holds its stamp or a
 * greater one; so it can never do anything when it comes again.
 *
 * [GRAPH-10] Of the commands for a register the one with the greatest (`at`, `id`) wins; a repeat or
 *   latecomer changes nothing, is `applied` all the same, and tells what stands.
 * [GRAPH-11] A command whose `at` is more than 24 h before the log's timestamp of it is refused: `too_old`.
 * [GRAPH-12] A command of a user about themself is refused: `self`.
 * [GRAPH-13] A follow begins with the affinity it names, else with 0.5. One that stands already keeps its
 *   beginning, and its affinity unless the command names one.
 * [GRAPH-14] An unfollow ends the follow and its affinity; its stamp stays.
 * [GRAPH-15] `affinity` and `interaction` need a follow that stands, else they are refused: `no_such_follow`.
 *   They never create one, nor come to life when one begins later.
 * [GRAPH-16] A block ends the follows of both directions, whatever their times, and until it is lifted a
 *   follow of either direction is refused, whatever its time: `blocked`.
 * [GRAPH-17] An unblock lifts the user's own block only, and revives nothing: not the follows that the block
 *   ended, not those refused under it, not those dated before the unblock.
 * [GRAPH-18] An applied command emits two changes, one per list (`following` of one, `followers` of the
 *   other); a block four; also when nothing changed. They tell what stands, with the time and an id made from
 *   the stamp that set it: to tell the same again is to tell it under the same id. A refused command emits
 *   none.
 * [GRAPH-19] Commands decided before may come again, any of them, in any order: no state changes.
 */
export function decide(pair: Pair, command: GraphCommand, loggedAt: number): Decision {
  if (command.from === command.to) {
    return refuse(pair, 'self', `${command.from} cannot ${command.kind} themself.`);
  }
  if (command.at < loggedAt - commandAgeMaxMs) {
    return refuse(pair, 'too_old', 'The command is more than 24 h older than its place in the log.');
  }
  switch (command.kind) {
    case 'follow':
      return follow(pair, command);
    case 'unfollow':
      return unfollow(pair, command);
    case 'affinity':
    case 'interaction':
      return changeAffinity(pair, command);
    case 'block':
      return block(pair, command);
    case 'unblock':
      return unblock(pair, command);
    default:
      return unknownKind(command.kind);
  }
}

/**
 * How long a command may be under way; for at least as long a graph remembers stamps of what stands no more.
 */
export const commandAgeMaxMs = 24 * 3_600_000;

/** Both directions as the command sees them: [from -> to, to -> from]. */
export type Pair = readonly [there: PairState, back: PairState];
export type Outcome =
  | { state: 'applied' }
  | {
      state: 'rejected';
      code: CodeName & ('blocked' | 'self' | 'too_old' | 'no_such_follow');
      message: string;
    };
export interface Decision {
  outcome: Outcome;
  /** The states afterwards; one that did not change is the same object. */
  pair: Pair;
  changes: GraphChange[];
}

/** A directed pair of which nothing is known. */
export function emptyState(from: string, to: string): PairState {
  return {
    from,
    to,
    following: false,
    affinity: 0,
    since: 0,
    followStamp: null,
    affinityStamp: null,
    blocking: false,
    blockStamp: null,
  };
}

function follow(pair: Pair, command: GraphCommand): Decision {
  const [there, back] = pair;
  const wins = isGreater(command, there.followStamp);
  if (there.blocking || back.blocking) {
    const kept = wins ? { ...there, followStamp: stampOf(command) } : there;
    return refuse([kept, back], 'blocked', `One of ${command.from} and ${command.to} has blocked the other.`);
  }
  if (!wins) return tell(pair, command);
  const begun: PairState = { ...there, followStamp: stampOf(command) };
  if (!there.following) {
    begun.following = true;
    begun.since = command.at;
    begun.affinity = storedAffinity(command.affinity ?? affinityOfFollow, command.at);
    begun.affinityStamp = greatest(stampOf(command), there.affinityStamp);
  } else if (command.affinity !== undefined && isGreater(command, there.affinityStamp)) {
    begun.affinity = storedAffinity(command.affinity, command.at);
    begun.affinityStamp = stampOf(command);
  }
  return tell([begun, back], command);
}

function unfollow(pair: Pair, command: GraphCommand): Decision {
  const [there, back] = pair;
  if (!isGreater(command, there.followStamp)) return tell(pair, command);
  return tell([ended(there, command), back], command);
}

function changeAffinity(pair: Pair, command: GraphCommand): Decision {
  const [there, back] = pair;
  const wins = isGreater(command, there.affinityStamp);
  if (!there.following) {
    const kept = wins ? { ...there, affinityStamp: stampOf(command) } : there;
    return refuse([kept, back], 'no_such_follow', `${command.from} does not follow ${command.to}.`);
  }
  if (!wins) return tell(pair, command);
  const affinity =
    command.kind === 'interaction'
      ? accumulate(there.affinity, command.weight ?? 0, command.at)
      : storedAffinity(command.affinity ?? 0, command.at);
  return tell([{ ...there, affinity, affinityStamp: stampOf(command) }, back], command);
}

function block(pair: Pair, command: GraphCommand): Decision {
  const [there, back] = pair;
  if (!isGreater(command, there.blockStamp)) return tell(pair, command);
  const blocking = { ...ended(there, command), blocking: true, blockStamp: stampOf(command) };
  return tell([blocking, ended(back, command)], command);
}

function unblock(pair: Pair, command: GraphCommand): Decision {
  const [there, back] = pair;
  if (!isGreater(command, there.blockStamp)) return tell(pair, command);
  const lifted = { ...there, blocking: false, blockStamp: stampOf(command) };
  if (!there.blocking) return tell([lifted, back], command);
  // Follows dated before this moment were made under the block: late ones find its stamp and lose.
  lifted.followStamp = greatest(stampOf(command), there.followStamp);
  return tell([lifted, { ...back, followStamp: greatest(stampOf(command), back.followStamp) }], command);
}

/** Without the follow. The stamp stays the greater one, lest a repeat of a later follow revive it. */
function ended(state: PairState, command: GraphCommand): PairState {
  const followStamp = greatest(stampOf(command), state.followStamp);
  return { ...state, following: false, since: 0, affinity: 0, followStamp };
}

function stampOf(command: GraphCommand) {
  return { at: command.at, id: command.id };
}

function refuse(
  pair: Pair,
  code: CodeName & ('blocked' | 'self' | 'too_old' | 'no_such_follow'),
  message: string,
): Decision {
  return { outcome: { state: 'rejected', code, message }, pair, changes: [] };
}

const applied: Outcome = { state: 'applied' };

/** Applied, and both lists of the direction (for a block, of both directions) are told how they stand now. */
function tell(pair: Pair, command: GraphCommand): Decision {
  const isAffinity = command.kind === 'affinity' || command.kind === 'interaction';
  const changes = directionChanges(pair[0], command, isAffinity);
  if (command.kind === 'block') changes.push(...directionChanges(pair[1], command, false));
  return { outcome: applied, pair, changes };
}

function directionChanges(state: PairState, command: GraphCommand, isAffinity: boolean): GraphChange[] {
  const { from, to } = state;
  const kind = !state.following ? 'remove' : isAffinity ? 'affinity' : 'put';
  const stamp = (kind === 'affinity' ? state.affinityStamp : state.followStamp) ?? stampOf(command);
  const id = changeIdStem(`${stamp.at} ${stamp.id} ${kind} ${from} ${to}`);
  const head = { at: stamp.at, kind, command: command.id } as const;
  const value = kind === 'remove' ? {} : { affinity: state.affinity };
  return [
    { id: `${id}-1`, ...head, list: 'following', user: from, other: to, ...value },
    { id: `${id}-2`, ...head, list: 'followers', user: to, other: from, ...value },
  ];
}

/**
 * 22 characters (132 bits). Made from what set the state that is told, not from the command that happens to
 * tell it: each begin and each end of a follow has one id of its own, whoever tells it first (after a crash
 * it may be a repeat of an older command), and however often. Ids have room for 36, so a command's own with
 * something added would not fit.
 */
function changeIdStem(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function unknownKind(kind: never): never {
  throw new Error(`not a kind of graph command: ${String(kind)}`);
}
