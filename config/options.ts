import { z } from 'zod';
import { edgeOptionTable } from './edge-options.ts';
import {
  count,
  dayMs,
  flag,
  integer,
  list,
  ms,
  type OptionSpec,
  port,
  secret,
  text,
} from './option-schemas.ts';
import { serverOptionTable } from './server-options.ts';

/**
 * Every option of every role, in one table: flag `--tick-ms`, environment `RANKCAST_TICK_MS`, file key
 * `tickMs`. What is wrong is named all at once (`ConfigError`), never one by one.
 */
export const optionTable = {
  // where
  host: { schema: text.default('0.0.0.0'), about: 'Address the edge listens on.' },
  port: { schema: port(8080), about: 'Port of sockets and HTTP; 0: any free one.' },
  opsHost: { schema: text.default('127.0.0.1'), about: 'Address of the operators’ port.' },
  opsPort: { schema: port(8081), about: 'Port of /healthz, /readyz and /metrics; 0: any free one.' },
  data: {
    schema: text.default('.rankcast/data'),
    about: 'Folder of the embedded engines and of checkpoints.',
  },
  sockets: {
    schema: z.enum(['auto', 'uws', 'ws']).default('auto'),
    about: 'Socket library; auto: uWebSockets.js, or ws where its binary does not load.',
  },
  ...edgeOptionTable,
  // who
  apiKey: {
    schema: list.pipe(z.array(secret).min(1)).optional(),
    about: 'Keys of back ends, separated by commas.',
    secret: true,
  },
  tokenSecret: { schema: secret.optional(), about: 'Shared secret of tokens (HS256).', secret: true },
  tokenPublicKey: { schema: text.optional(), about: 'File with a public key of tokens (PEM or JWK).' },
  tokenJwksUrl: { schema: z.url().optional(), about: 'Address of the JWK set of tokens.' },
  tokenAlgorithms: {
    schema: list.pipe(z.array(z.enum(['RS256', 'ES256', 'EdDSA']))).default([]),
    about: 'Algorithms taken with a public key or JWK set; none: all that fit the key.',
  },
  tokenIssuer: { schema: text.optional(), about: 'Required `iss` of tokens.' },
  tokenAudience: { schema: text.optional(), about: 'Required `aud` of tokens.' },
  pageFolder: {
    schema: text.optional(),
    about: 'Folder of files for browsers, with an index.html, served where no other path is.',
  },
  allowedOrigins: { schema: list.default([]), about: 'Origins of pages that may connect; `*`: any.' },
  // sockets
  socketsMax: { schema: count(10_000_000, 1_000_000), about: 'Open sockets at most, on each process.' },
  socketsPerUserMax: {
    schema: count(100_000, 100),
    about: 'Open sockets of one user at most, on each process of an edge.',
  },
  subscriptionsMax: { schema: count(1_000, 100), about: 'Subscriptions of one socket at most.' },
  bufferBytesMax: { schema: count(1 << 30, 262_144), about: 'Bytes waiting for one socket at most.' },
  upgradesPerSecond: { schema: count(1_000_000, 2_000), about: 'New sockets a second, on each process.' },
  upgradesPerAddress: {
    schema: count(1_000_000, 200),
    about: 'New sockets a second from one address (IPv6: from its /64), on each process.',
  },
  requestsPerSecond: {
    schema: count(1_000_000, 100),
    about: 'HTTP requests a second of one user (back ends with an API key are not limited).',
  },
  framesPerTenSeconds: { schema: count(100_000, 200), about: 'Frames one socket may send in ten seconds.' },
  idleMs: {
    schema: ms(300_000, 60_000),
    about: 'A socket silent for this long is closed; pings come before (an NLB forgets one after 350 s).',
  },
  deregistrationDelayMs: {
    schema: ms(600_000, 0),
    about: 'Drain: serve on for so long after /readyz says no (behind an NLB: 120,000).',
  },
  drainWindowMs: {
    schema: ms(600_000, 1_000),
    about: 'Drain: clients move at random within so long.',
  },
  // ranker
  replica: { schema: integer(0, 15, 0), about: 'Replica of the ranker.' },
  tickMs: { schema: ms(10_000, 100), about: 'A contest’s frames are at least so far apart.' },
  orderIntervalMs: {
    schema: ms(60_000, 1_000),
    about: 'The full order of a contest is computed at most so often; 0: for each question.',
  },
  topRows: { schema: count(100, 20), about: 'First rows shown to everyone.' },
  entriesPerMatchMax: {
    schema: count(20_000_000, 1_000_000),
    about: 'Entries of one match, or of one scores contest, at most.',
  },
  checkpointIntervalMs: {
    schema: ms(3_600_000, 10_000),
    about: 'How often a ranker saves its state.',
  },
  archiveIntervalMs: {
    schema: ms(dayMs, 60_000),
    about: 'How often a running contest’s first 20 pages are archived; 0: only the final.',
  },
  finalKeepMs: {
    schema: ms(30 * dayMs, 3_600_000),
    about: 'A final contest stays in memory so long.',
  },
  // log
  partitions: { schema: count(1_024, 4), about: 'Partitions of each topic; never change it.' },
  retentionMs: {
    schema: ms(3_650 * dayMs, 30 * dayMs),
    about: 'Records of contest-events are kept so long.',
  },
  // follows
  graphPrecedesLog: {
    schema: flag.default(false),
    about: 'The graph had follows before the log began (restored, loaded): lists are rebuilt from it.',
  },
  // the real servers
  ...serverOptionTable,
  // the process
  logLevel: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    about: 'Least level of log lines.',
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof optionTable;
export type Options = { [Name in OptionName]: z.output<(typeof optionTable)[Name]['schema']> };

/** Everything that is wrong with the options, one sentence each. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const dashed = (name: string, mark: string): string =>
  name.replace(/[A-Z]/g, (letter) => `${mark}${letter.toLowerCase()}`);
export const flagOf = (name: string): string => `--${dashed(name, '-')}`;
export const variableOf = (name: string): string => `RANKCAST_${dashed(name, '_').toUpperCase()}`;
