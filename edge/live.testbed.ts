import { pino } from 'pino';
import { Registry } from 'prom-client';
import { FaultyBus } from '../channels/bus/bus.faulty.ts';
import { createManualClock } from '../channels/clock.manual.ts';
import { ContestModel } from '../channels/contest/contest-model.ts';
import { demandDefaults } from '../channels/contest/demand-options.ts';
import { ModelRanker } from '../channels/contest/model-ranker.ts';
import { hubDefaults } from '../channels/hub/hub-options.ts';
import { MemoryLookup } from '../channels/lookup/lookup.memory.ts';
import { jsonCodec } from '../proto/codec.json.ts';
import { msgpackCodec } from '../proto/codec.msgpack.ts';
import type { Codec } from '../proto/codec.ts';
import { ClientError, ServiceError } from '../proto/codes.ts';
import { createLive } from './live.ts';
import { type LiveOptions, liveDefaults } from './live-options.ts';
import { type MemorySocket, MemorySockets } from './sockets/sockets.memory.ts';
import type { Identity, Verifier } from './verifier/verifier.ts';

/**
 * An edge's live path on parts held by the test: clock, bus, lookup, a model for a ranker, sockets in
 * memory.
 */
export const team = Array.from({ length: 11 }, (_, i) => i);
export const otherTeam = Array.from({ length: 11 }, (_, i) => 13 - i);

/** Tokens are `user` or `user@time of expiry`; `bad` and `away` fail. */
export class TestVerifier implements Verifier {
  readonly #lifeMs: number;
  readonly #now: () => number;
  holding: (() => void)[] | null = null;
  constructor(now: () => number, lifeMs: number) {
    this.#now = now;
    this.#lifeMs = lifeMs;
  }
  async verify(token: string): Promise<Identity> {
    const { holding } = this;
    if (holding !== null) await new Promise<void>((resolve) => holding.push(resolve));
    if (token === 'bad') throw new ClientError('invalid_token', 'The token is signed by nobody we know.');
    if (token === 'away') throw new ServiceError('The keys cannot be had.', true);
    const [user = '', until] = token.split('@');
    return { user, expiresAt: until === undefined ? this.#now() + this.#lifeMs : Number(until) };
  }
  close(): void {}
}

export async function createTestbed(changed: Partial<LiveOptions> = {}) {
  const model = new ContestModel();
  model.addPlayers(Array.from({ length: 14 }, (_, i) => `p${i}`));
  model.addContest('small', 'fantasy', false);
  model.addContest('large', 'fantasy', true);
  model.addContest('quiz', 'scores', false);
  for (let i = 0; i < 6; i++) {
    model.setEntry(`t${i}`, `u${i % 3}`, ['small', 'large'], i % 2 === 0 ? team : otherTeam);
    model.setEntry(`q${i}`, `u${i % 3}`, ['quiz'], []);
  }
  const bus = new FaultyBus();
  const lookup = new MemoryLookup();
  const clock = createManualClock();
  const sockets = new MemorySockets();
  const verifier = new TestVerifier(clock.now, 3_600_000);
  const registry = new Registry();
  const ranker = await new ModelRanker(model, bus).start(lookup);
  const live = createLive({
    bus,
    lookup,
    verifier,
    publish: sockets.publish,
    clock,
    options: { ...liveDefaults, ...changed },
    hubOptions: hubDefaults,
    demandOptions: demandDefaults,
    logger: pino({ level: 'silent' }),
    registry,
    edge: 'e1',
    random: () => 0.5,
  });

  const open = (codec: Codec = msgpackCodec): MemorySocket =>
    sockets.open(codec, (socket, subprotocol) => live.open(socket, subprotocol));
  async function connect(user: string, codec: Codec = msgpackCodec): Promise<MemorySocket> {
    const socket = open(codec);
    socket.say({ t: 'connect', token: user });
    await clock.advanceSettled(1);
    return socket;
  }
  let id = 0;
  async function subscribe(socket: MemorySocket, channel: string, since?: { epoch: string; since: number }) {
    socket.say({ t: 'subscribe', id: ++id, channel, ...since });
    await clock.advanceSettled(40);
    return socket.of('subscribed').find((frame) => frame.id === id) ?? null;
  }
  /** A record, its frames, and time for what follows. */
  async function change(record: () => void): Promise<void> {
    record();
    await ranker.tick();
    await clock.advanceSettled(30);
  }
  const append = (channel: string, n: number) =>
    bus.append(channel, { id: `i${n}`, at: n, data: new TextEncoder().encode(JSON.stringify({ n })) });

  return {
    model,
    bus,
    lookup,
    clock,
    sockets,
    verifier,
    registry,
    ranker,
    live,
    open,
    connect,
    subscribe,
    change,
    append,
    json: jsonCodec,
  };
}
export type Testbed = Awaited<ReturnType<typeof createTestbed>>;

/** Without what differs from run to run. */
export function brief(frames: readonly { t: string }[]): string[] {
  return frames.map((frame) => frame.t);
}
