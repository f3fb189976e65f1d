import { type RedisOptions as ClientOptions, Cluster, type ClusterOptions, Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { readTls, type TlsMaterial, type TlsOptions } from '../dependency/tls-files.ts';
import type { Random } from '../random.ts';

/**
 * Connections to Redis: one server, one behind Sentinels, or a cluster.
 *
 * What was under way when the connection broke, and what is asked until the next one stands, waits for
 * `reconnectsPerCall` reconnections, in order, and is then refused: by default what was under way at once,
 * and what comes later with the next try in vain. Whoever asks (Dependency) asks again, so that nothing is
 * sent twice behind a caller's back and nobody waits long for a server that is away.
 */
export interface RedisOptions extends TlsOptions {
  /** One server: `redis://host:port/database`, or `rediss://` for TLS. Without user and password. */
  url?: string;
  /** Instead of `url`: Sentinels as host:port, and the name of the master that they watch. */
  sentinels?: readonly string[];
  sentinelMaster?: string;
  /** Instead of `url`: some nodes of a cluster as host:port. */
  cluster?: readonly string[];
  user?: string;
  password?: string;
  sentinelUser?: string;
  sentinelPassword?: string;
  /** TLS also where no file of TlsOptions is given, with the CAs that Node knows. */
  tls: boolean;
  /** Number of the database; a cluster has only 0. */
  database: number;
  /** Where nodes announce addresses that are not reached from here: `announced:port=reached:port` each. */
  natMap?: readonly string[];
  connectTimeoutMs: number;
  answerTimeoutMs: number;
  keepAliveMs: number;
  reconnectFirstMs: number;
  reconnectLongestMs: number;
  reconnectsPerCall: number;
  closeTimeoutMs: number;
}
export const redisDefaults: RedisOptions = {
  tls: false,
  database: 0,
  /** A server in the same region answers in a millisecond: longer than a lost SYN's first two repeats. */
  connectTimeoutMs: 3_500,
  /** Without any byte for so long while something is asked, the connection counts as dead. */
  answerTimeoutMs: 4_000,
  /** Below the 350 s after which network load balancers forget a connection. */
  keepAliveMs: 60_000,
  /** Doubles up to the longest; a part of it, by chance, so that a fleet does not come at once. */
  reconnectFirstMs: 50,
  /** A restarted server is found again within 2 s. */
  reconnectLongestMs: 1_000,
  /** More would let calls hang for seconds while the server is away. */
  reconnectsPerCall: 0,
  /** What is under way may end for so long when the process goes. */
  closeTimeoutMs: 1_000,
};

export interface ConnectRedisParts {
  options: RedisOptions;
  clock: Clock;
  random: Random;
  /** The connection for commands stands (again). */
  onConnected(): void;
  /** It was lost, or could not be made. The error carries no secret. */
  onLost(error: unknown): void;
}
export interface RedisConnection {
  /** For commands. Connects in the background; what is asked meanwhile waits in order. */
  readonly redis: Redis | Cluster;
  /**
   * A connection of its own for subscriptions, which are made anew after it was lost. In a cluster it takes
   * sharded subscriptions, one connection per master. Its errors are the caller's to hear (`error` event).
   */
  openSubscriber(): Redis | Cluster;
  /** Ends all, subscribers too, within `closeTimeoutMs`. */
  close(): Promise<void>;
}

/** Throws an `Error` with a sentence where an option is wrong or a file of TLS cannot be read. */
export function connectRedis(parts: ConnectRedisParts): RedisConnection {
  const { options, clock, onConnected, onLost } = parts;
  const settings = { ...parts, tls: tlsOf(options) };
  const redis = open(settings, false);
  if (redis instanceof Cluster) redis.on('+node', gatherWrites);
  else gatherWrites(redis);
  const subscribers: (Redis | Cluster)[] = [];
  /** Why the connection is not there; what a node says first tells more than that it was closed then. */
  let fault: unknown;
  const lost = (error: unknown): void => {
    fault ??= error;
    onLost(fault);
  };
  redis.on('ready', () => {
    fault = undefined;
    onConnected();
  });
  redis.on('error', (error: unknown) => {
    fault = undefined;
    lost(withoutCommand(error));
  });
  // Nodes of a cluster come and go; only while it is not connected what they say matters.
  redis.on('node error', (error: unknown) => {
    if (redis.status !== 'ready') fault = withoutCommand(error);
  });
  const closed = (): void => lost(new Error('Connection is closed.'));
  redis.on('close', closed);

  return {
    redis,
    openSubscriber() {
      const subscriber = open(settings, true);
      // Without a listener an error would be printed with all that it carries.
      subscriber.on('error', withoutCommand);
      subscribers.push(subscriber);
      return subscriber;
    },
    async close() {
      redis.off('close', closed);
      for (const subscriber of subscribers) subscriber.disconnect();
      // A reading of the slots that is under way would plan the next one, and so on after the end.
      for (const client of [redis, ...subscribers]) {
        if (client.isCluster) Object.assign(client, { refreshSlotsCache: () => undefined });
      }
      await quit(redis, clock, options.closeTimeoutMs);
    },
  };
}

/** Faults of the options, each a sentence; none where they say one way to Redis. */
export function redisFaults(options: RedisOptions): string[] {
  const { url, sentinels = [], sentinelMaster = '', cluster = [] } = options;
  const ways = [url !== undefined, sentinels.length > 0, cluster.length > 0].filter(Boolean).length;
  const faults: string[] = [];
  if (ways !== 1) faults.push('Redis needs one of a URL, Sentinels, or nodes of a cluster');
  if (url !== undefined && (!URL.canParse(url) || !/^rediss?:\/\//.test(url))) {
    faults.push('the URL of Redis must be redis://host:port/database or rediss://host:port/database');
  }
  if (sentinels.length > 0 && sentinelMaster === '') faults.push('Sentinels need the name of their master');
  if (cluster.length > 0 && options.database !== 0) faults.push('a Redis cluster has only database 0');
  for (const host of [...sentinels, ...cluster]) {
    if (!hostPattern.test(host)) faults.push(`"${host}" must be host:port`);
  }
  for (const pair of options.natMap ?? []) {
    if (!pair.split('=').every((host) => hostPattern.test(host)) || pair.split('=').length !== 2) {
      faults.push(`"${pair}" must be host:port=host:port`);
    }
  }
  return faults;
}

const hostPattern = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]@]+):\d{1,5}$/;

type Settings = ConnectRedisParts & { tls: TlsMaterial | undefined };

function open(settings: Settings, subscriber: boolean): Redis | Cluster {
  const { options } = settings;
  const faults = redisFaults(options);
  if (faults.length > 0) throw new Error(faults.join('; '));
  if (options.cluster !== undefined && options.cluster.length > 0) {
    return openCluster(options.cluster, settings, subscriber);
  }
  const client = clientOptions(settings, subscriber);
  client.retryStrategy = waits(settings);
  if (options.sentinels === undefined || options.sentinels.length === 0) {
    const { host, port, database } = placeOf(options.url!);
    return new Redis({ ...client, host, port, db: database ?? options.database });
  }
  return new Redis({
    ...client,
    ...(settings.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: settings.tls }),
    ...given('sentinelUsername', options.sentinelUser),
    ...given('sentinelPassword', options.sentinelPassword),
    ...natMapOf(options),
    db: options.database,
    sentinels: options.sentinels.map(toHost),
    name: options.sentinelMaster!,
    sentinelRetryStrategy: waits(settings),
    sentinelCommandTimeout: options.connectTimeoutMs,
    // Follows `+switch-master` also where the old master still answers.
    failoverDetector: true,
  });
}

function openCluster(nodes: readonly string[], settings: Settings, subscriber: boolean): Cluster {
  const cluster: ClusterOptions & { redisOptions: LegacyOptions } = {
    ...natMapOf(settings.options),
    redisOptions: clientOptions(settings, subscriber),
    clusterRetryStrategy: waits(settings),
    // So long that a replica has been made master meanwhile (15 x 200 ms), below a call's time limit.
    maxRedirections: 15,
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
    slotsRefreshTimeout: settings.options.connectTimeoutMs,
    slotsRefreshInterval: 5_000,
    shardedSubscribers: subscriber,
    // Certificates are for names: they must reach TLS as they were given.
    ...(settings.tls === undefined ? {} : { dnsLookup: (address, callback) => callback(null, address) }),
  };
  return new Cluster(nodes.map(toHost), cluster);
}

type LegacyOptions = ClientOptions & { replyMapping: 'legacy' };

/** What holds for every single connection. */
function clientOptions({ options, tls }: Settings, subscriber: boolean): LegacyOptions {
  return {
    // Plain arrays, and scores as they were written.
    replyMapping: 'legacy',
    ...given('username', options.user),
    ...given('password', options.password),
    ...(tls === undefined ? {} : { tls }),
    connectTimeout: options.connectTimeoutMs,
    keepAlive: options.keepAliveMs,
    socketTimeout: options.answerTimeoutMs,
    // Subscriptions are made again as soon as the server is back, however long that takes.
    maxRetriesPerRequest: subscriber ? null : options.reconnectsPerCall,
    autoResubscribe: true,
    autoResendUnfulfilledCommands: true,
    // A master that became a replica: connect anew (to the master) and send the call again there.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

function waits({ options, random }: Settings): (times: number) => number {
  const { reconnectFirstMs, reconnectLongestMs } = options;
  return (times) => {
    const longest = Math.min(reconnectLongestMs, reconnectFirstMs * 2 ** Math.min(times - 1, 30));
    return Math.ceil(longest * (0.5 + random() / 2));
  };
}

function tlsOf(options: RedisOptions): TlsMaterial | undefined {
  const material = readTls(options);
  if (material !== undefined) return material;
  return options.tls || options.url?.startsWith('rediss://') ? {} : undefined;
}

function placeOf(url: string): { host: string; port: number; database: number | undefined } {
  const { hostname, port, pathname } = new URL(url);
  const database = /^\/(\d+)$/.exec(pathname)?.[1];
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    database: database === undefined ? undefined : Number(database),
  };
}

function toHost(place: string): { host: string; port: number } {
  const colon = place.lastIndexOf(':');
  return { host: place.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(place.slice(colon + 1)) };
}

function natMapOf({ natMap }: RedisOptions): Pick<ClusterOptions, 'natMap'> {
  if (natMap === undefined || natMap.length === 0) return {};
  const pairs = natMap.map((pair) => pair.split('=') as [string, string]);
  return { natMap: Object.fromEntries(pairs.map(([announced, reached]) => [announced, toHost(reached)])) };
}

function given<Name extends string>(name: Name, value: string | undefined): { [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: string };
}

/** What the client hangs on its errors holds all arguments: of a refused HELLO, the password. */
function withoutCommand(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'command' in error) delete error.command;
  return error;
}

/** What is sent in one turn of the event loop leaves in one write: a batch needs no pipeline. */
function gatherWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let isCorked = false;
  redis.sendCommand = (command, stream) => {
    const { stream: socket } = redis;
    if (!isCorked && socket !== undefined) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    return send(command, stream);
  };
}

async function quit(redis: Redis | Cluster, clock: Clock, withinMs: number): Promise<void> {
  // Between two connections there is nothing to wait for, and no event would say that it ended.
  if (redis.status !== 'ready') return redis.disconnect();
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  const late = new Promise<void>((resolve) => {
    const cancel = clock.after(withinMs, resolve);
    void ended.then(cancel);
  });
  redis.quit().catch(() => redis.disconnect());
  await Promise.race([ended, late]);
  redis.disconnect();
}
