/**
 * Every bound of the protocol and of records, with its reason. Beyond one, the answer is the code named
 * beside it here or in PROTOCOL.md. Bounds that an operator may choose (buffers, rates, timeouts) are
 * options of the modules that keep them; the defaults of those that a client can notice stand here.
 */
export const limits = {
  // frames of a client: `bad_frame` beyond, unless said otherwise
  /** A token and some text fit; a client has nothing longer to say. Beyond: `frame_too_large`. */
  frameBytesMax: 16_384,
  /** Identity providers put kilobytes of claims into a token; HTTP proxies end headers at 8 KiB too. */
  tokenBytesMax: 8_192,
  /** Enough for a program's name, version and platform; it goes into every log line of the socket. */
  agentBytesMax: 128,
  /** The longest name is `contest:` and an id, 44 bytes; a near miss is still answered by name. */
  channelNameBytesMax: 64,
  /** Epochs are short hashes; a client only hands back what it was given. */
  epochBytesMax: 64,
  /** A request id fits an unsigned 32-bit integer of any language. */
  requestIdMax: 4_294_967_295,
  /** Positions, versions and times are integers that a double holds exactly. */
  integerMax: 9_007_199_254_740_991,

  /**
   * Frames of a client within ten seconds (an option of the edge): a screen joins at once.
   * `too_many_frames` beyond.
   */
  framesPerTenSecondsMax: 200,

  // subscriptions
  /** A screen shows a few rooms; bounds the memory of a socket. `too_many_subscriptions` beyond. */
  subscriptionsPerSocketMax: 100,

  // frames of an edge
  /** First rows in a `board` (an option of the ranker): what a phone shows before it asks for pages. */
  boardRowsMax: 100,
  /** Own entries in a contest (an option of the ranker): bounds `entries`. `contest_full` beyond. */
  entriesPerUserMax: 1_000,
  /** RFC 6455, 5.5: a close frame holds 125 bytes, two of them the code. Longer reasons are cut. */
  closeReasonBytesMax: 123,
  /** An edge behind its client waits this long to catch up before it says so by `behind`. */
  behindAfterMs: 2_000,

  // messages of log channels
  /** A notice, not a document. `body_too_large` beyond. */
  messageBytesMax: 16_384,
  /** Objects and arrays within each other, in `data` of messages and in records; real ones need a handful. */
  depthMax: 32,

  // records: `bad_field` beyond, unless said otherwise
  /** As Kafka's default for a message. `record_too_large` beyond. */
  recordBytesMax: 1_048_576,
  /** A UUID in text. */
  idBytesMax: 36,
  /** Innings, over, ball and a few words. */
  labelBytesMax: 64,
  /** A few hundred kilobytes of teams: one record is one step of the ranker and must stay short. */
  entriesPerRecordMax: 1_000,
  /** Contests that one entry is in. A team is seldom in more than twenty. */
  contestsPerEntryMax: 100,
  /**
   * Two squads with all who were ever named for them; the ranker keeps bitmaps for each. `contest_full`
   * beyond.
   */
  playersPerMatchMax: 200,
  /** The rules of fantasy contests. `bad_team` where it is another number. */
  playersPerTeam: 11,
  /**
   * Points are at most so many steps from 0, so that every possible score fits 32 bits. `off_step` beyond.
   */
  pointsStepsMax: 10_000,
  /** As many as a contest can have entries. */
  prizesMax: 100_000_000,
  /** The last moment that a Date of ECMAScript holds. */
  timeMsMax: 8_640_000_000_000_000,
  /**
   * Clocks of producers differ by seconds; more is a fault, and would block corrections. `future_at` beyond.
   */
  futureAtMs: 60_000,
  /** A display name in any script. */
  nameBytesMax: 128,
  /** A URL with a signature. */
  avatarBytesMax: 1_024,
} as const;
