/**
 * Names of channels: a kind, a colon, an id.
 *
 *     channel = kind ":" id
 *     kind    = "contest" / "match" / "feed" / "user"
 *     id      = 1*36( ALPHA / DIGIT / "_" / "-" )
 *
 * `feed:` and `user:` are log channels (every message counts); `contest:` and `match:` are state channels (a
 * newer state covers an older one).
 */
export interface ChannelName {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly id: string;
  readonly class: 'log' | 'state';
}
export type ChannelKind = 'contest' | 'match' | 'feed' | 'user';

/** Bytes of an id; also the longest user, contest, match and player id of the records. */
export const channelIdBytesMax = 36;

const classes: Readonly<Record<ChannelKind, 'log' | 'state'>> = {
  contest: 'state',
  match: 'state',
  feed: 'log',
  user: 'log',
};

/** The parts of a name, or a sentence saying what is wrong with it. */
export function parseChannel(name: string): ChannelName | string {
  const colon = name.indexOf(':');
  if (colon < 0) return `Channel ${shown(name)} has no colon: a name is kind:id, such as contest:c1.`;
  const kind = name.slice(0, colon);
  if (!isKind(kind)) {
    return `Channel ${shown(name)} is of no known kind: the kinds are contest, match, feed and user.`;
  }
  const id = name.slice(colon + 1);
  if (id.length === 0) return `Channel ${shown(name)} has no id after the colon.`;
  if (id.length > channelIdBytesMax) {
    return `Channel ${shown(name)} has an id of ${id.length} characters; at most ${channelIdBytesMax} fit.`;
  }
  const wrong = firstWrong(id);
  if (wrong >= 0) {
    const at = colon + 1 + wrong;
    return `Channel ${shown(name)} has a character at ${at} that is none of A-Z, a-z, 0-9, _ and -.`;
  }
  return { name, kind, id, class: classes[kind] };
}

function isKind(text: string): text is ChannelKind {
  return Object.hasOwn(classes, text);
}

/** Index of the first character an id may not have; -1 when there is none. */
function firstWrong(id: string): number {
  for (let i = 0; i < id.length; i++) {
    const c = id.charCodeAt(i);
    const digit = c >= 48 && c <= 57;
    const upper = c >= 65 && c <= 90;
    const lower = c >= 97 && c <= 122;
    if (!digit && !upper && !lower && c !== 95 && c !== 45) return i;
  }
  return -1;
}

/** A name as it may stand in a sentence: cut, and with nothing that breaks a line of a log. */
function shown(name: string): string {
  const cut = name.length > 60 ? `${name.slice(0, 60)}...` : name;
  return JSON.stringify(cut);
}
