/**
 * What `rankcast plan` reckons with. Measured ones name the bench that measured them (docs/benchmarks.md,
 * docs/capacity.md); measure yours and give it as an option where there is one.
 */
export const planFigures = {
  // Measured, of one core.
  /** Board and own rank of one socket, as a tick sends them: `edge-frames`. */
  socketTickMicros: 14.8,
  /** A message of a feed to one socket, as a broadcast frame costs it: `edge-frames`. */
  feedMessageMicros: 7.7,
  /** Upgrade, token (HS256), contest, first own rank: `edge-connect`. */
  connectMicros: 128,
  /** One contest frame taken off the bus by an edge process: `bus-frames`. */
  edgeFrameMicros: 108,
  /** Applying a `points` record, and making a contest's frame, for a million entries: decision 0002. */
  recordMsPerMillion: 1,
  frameMsPerMillion: 1,
  /** Redis handing 10,000 bytes to one subscriber: `bus-frames`. */
  redisDeliveryMicros: 10,

  // Measured, in bytes.
  /** Resident, of a socket on one contest and its feed: `edge-memory`. */
  socketBytes: 2_645,
  /** What Linux 6 keeps for one end of an idle TCP connection (slabs), rounded up. */
  socketKernelBytes: 4_096,
  /** Of an edge's process without sockets, mirrors of some contests included. */
  edgeProcessBytes: 120_000_000,
  rankerProcessBytes: 150_000_000,
  /** An entry in the ranker, its ids included: the bound of decision 0002. */
  entryBytes: 64,
  /** Frames to sockets: `edge-frames`. A feed message: docs/feeds.md's with names of usual length. */
  boardBytes: 353,
  ranksBytes: 14,
  feedMessageBytes: 160,
  /** Frames on the bus, a million entries late in a match: `bus-frames`. */
  contestFrameBytes: 11_062,
  matchFrameBytes: 57,
  /** A `points` record as JSON, with what Kafka puts around it. */
  recordBytes: 200,

  // What the network adds.
  /** Head of a WebSocket frame of up to 64 KiB from the server. */
  frameHeadBytes: 4,
  /** TLS 1.3: head, tag and type of a record. */
  tlsRecordBytes: 22,
  /** Ethernet, IPv4 and TCP with timestamps. */
  packetBytes: 66,
  /** An Ethernet packet's payload of TCP. */
  segmentBytes: 1_448,

  // Facts of a Network Load Balancer (AWS, pricing and quotas).
  /** Where client addresses are not preserved, to one target. */
  nlbConnectionsPerTarget: 55_000,
  nlbTargetsMax: 500,
  nlcuNewPerS: 800,
  nlcuActive: 100_000,
  nlcuBytesPerHour: 1e9,

  // Ours.
  /** A client and the edge each say something once in so long: half of --idle-ms. */
  pingEveryS: 30,
  /** --upgrades-per-second of one process. */
  upgradesPerS: 2_000,
} as const;
