/**
 * The one table of codes: in error frames, close frames, HTTP answers, refused records, rejected commands.
 *
 * Ranges: 1xx requests on a socket; 2xx records refused; 3xx graph commands rejected; 4xx and 5xx HTTP only
 * (their status is `http`); 4000-4499 a close after which a client reconnects and resumes; 4500-4999 a close
 * after which it must not reconnect by itself. A number is never reused.
 */
export interface Code {
  readonly no: number;
  /** HTTP status when it answers an HTTP request. */
  readonly http: number;
  readonly about: string;
}

export const codes = {
  // requests
  bad_channel: { no: 101, http: 400, about: 'The channel name does not follow the grammar.' },
  forbidden: { no: 102, http: 403, about: 'This user may not do that.' },
  unknown_contest: { no: 103, http: 404, about: 'No contest of this name has been created.' },
  unknown_match: { no: 104, http: 404, about: 'No match of this name has been created.' },
  already_subscribed: { no: 105, http: 409, about: 'This socket is subscribed to the channel already.' },
  not_subscribed: { no: 106, http: 409, about: 'This socket is not subscribed to the channel.' },
  too_many_subscriptions: { no: 107, http: 429, about: 'The socket has as many subscriptions as it may.' },
  unavailable: { no: 108, http: 503, about: 'What answers this is not reachable now; try again.' },
  rate_limited: { no: 109, http: 429, about: 'Too many requests in the interval.' },
  invalid_token: { no: 110, http: 401, about: 'The token is missing, malformed, wrongly signed or expired.' },
  wrong_user: { no: 111, http: 403, about: 'A refresh must carry a token of the same user.' },
  history_gone: { no: 112, http: 410, about: 'The messages asked for are no longer kept.' },
  epoch_changed: {
    no: 113,
    http: 410,
    about: 'The channel began anew; positions of the former epoch mean nothing.',
  },
  unknown_version: { no: 114, http: 404, about: 'Nothing is kept of the contest at this version.' },
  // records
  bad_json: { no: 201, http: 400, about: 'The record is not one JSON object or MessagePack map.' },
  bad_field: { no: 202, http: 400, about: 'A field is missing, of the wrong type or out of its bounds.' },
  unknown_type: { no: 203, http: 400, about: 'No record of this type belongs to the topic.' },
  unknown_topic: { no: 204, http: 404, about: 'No topic of this name takes records.' },
  future_at: { no: 205, http: 400, about: '`at` is more than 60 s ahead of the broker’s clock.' },
  record_too_large: { no: 206, http: 413, about: 'The record is longer than a record may be.' },
  no_such_match: {
    no: 207,
    http: 400,
    about: 'The record names a match whose `match` record is not in the log.',
  },
  no_such_contest: { no: 208, http: 400, about: 'The record names a contest that has not been created.' },
  no_such_player: { no: 209, http: 400, about: 'The record names a player who is not in the match.' },
  no_such_entry: { no: 210, http: 400, about: 'The record names an entry that is not in the contest.' },
  wrong_kind: { no: 211, http: 400, about: 'The record does not fit the kind of the contest.' },
  wrong_match: { no: 212, http: 400, about: 'The contest belongs to another match.' },
  bad_team: {
    no: 213,
    http: 400,
    about: 'A team is eleven different players with a captain and another vice-captain of them.',
  },
  match_started: { no: 214, http: 400, about: 'An entry cannot change after the match has started.' },
  fixed_field: { no: 215, http: 400, about: 'The field cannot change once set.' },
  off_step: {
    no: 216,
    http: 400,
    about: 'Points are not a multiple of the match’s point step, or beyond 10,000 steps.',
  },
  contest_full: { no: 217, http: 400, about: 'The contest, match or user has as many entries as it may.' },
  is_final: { no: 218, http: 400, about: 'The match or contest is final: nothing more is taken.' },
  wrong_user_of_entry: { no: 219, http: 400, about: 'The entry belongs to another user.' },
  internal_fault: {
    no: 220,
    http: 500,
    about: 'Applying the record failed by a fault of the server; it was set aside.',
  },
  // graph commands
  blocked: { no: 301, http: 409, about: 'One of the two users has blocked the other.' },
  self: { no: 302, http: 400, about: 'A user cannot follow or block themself.' },
  too_old: { no: 303, http: 400, about: 'The command is older than 24 h.' },
  no_such_follow: { no: 304, http: 400, about: 'Affinity needs a follow, and there is none.' },
  // http
  bad_request: { no: 400, http: 400, about: 'A parameter, header or body is malformed.' },
  unauthorized: { no: 401, http: 401, about: 'The API key is missing or wrong.' },
  not_found: { no: 404, http: 404, about: 'Nothing is at this path.' },
  method_not_allowed: { no: 405, http: 405, about: 'The path does not take this method.' },
  body_too_large: { no: 413, http: 413, about: 'The body is longer than the path takes.' },
  upgrade_required: {
    no: 426,
    http: 426,
    about: 'The path takes WebSocket upgrades with a known subprotocol only.',
  },
  internal: { no: 500, http: 500, about: 'A fault of the server; it is in its log.' },
  rebuilding: { no: 503, http: 503, about: 'The list was lost and is being rebuilt; it is not empty.' },
  version_timeout: { no: 504, http: 504, about: 'The version asked for was not reached within 2 s.' },
  // closes: reconnect and resume
  moved: { no: 4000, http: 503, about: 'The edge is draining.' },
  slow: { no: 4001, http: 503, about: 'The socket took its messages too slowly.' },
  token_expired: { no: 4002, http: 401, about: 'The token ran out; reconnect with a new one.' },
  // 4003 is not in use: a client that is not heard does not hear a close frame either
  connect_timeout: { no: 4004, http: 408, about: 'No `connect` frame came in time.' },
  server_error: { no: 4005, http: 500, about: 'A fault of the server; reconnect.' },
  overloaded: { no: 4006, http: 503, about: 'The edge has as many sockets as it may; try again later.' },
  // closes: do not reconnect
  bad_frame: { no: 4500, http: 400, about: 'A frame could not be decoded or broke a rule.' },
  bad_token: { no: 4501, http: 401, about: 'The token of `connect` is not valid.' },
  frame_too_large: { no: 4502, http: 413, about: 'A frame was longer than a frame may be.' },
  too_many_frames: { no: 4503, http: 429, about: 'The client sent more frames than it may.' },
  disconnected: { no: 4504, http: 403, about: 'A back end ended this user’s sockets.' },
  too_many_sockets: { no: 4505, http: 429, about: 'The user has as many sockets on this edge as they may.' },
} as const satisfies Record<string, Code>;

export type CodeName = keyof typeof codes;

/** A fault of the caller: goes back as a code and a sentence. */
export class ClientError extends Error {
  readonly code: CodeName;
  constructor(code: CodeName, message: string) {
    super(message);
    this.name = 'ClientError';
    this.code = code;
  }
}

/** A dependency failed. */
export class ServiceError extends Error {
  readonly retryable: boolean;
  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ServiceError';
    this.retryable = retryable;
  }
}
