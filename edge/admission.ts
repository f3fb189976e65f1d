/**
 * Who may open a socket, and when: origins, subprotocols, the number of sockets, and how many come in a
 * second. A storm (15,000 phones after a network's hiccup) is let in at a pace: upgrades wait for their turn,
 * and those whose turn would be too far away are told when to come again.
 */
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Clock } from '../channels/clock.ts';
import { type CodeName, codes } from '../proto/codes.ts';
import { quote } from '../proto/text.ts';
import { addressGroup } from './sockets/address-group.ts';
import type { Subprotocol, UpgradeAnswer, UpgradeRequest } from './sockets/sockets.ts';

export interface AdmissionOptions {
  allowedOrigins: string[];
  socketsMax: number;
  upgradesPerSecond: number;
  upgradesPerAddress: number;
  upgradeWaitMsMax: number;
}
export const admissionDefaults: AdmissionOptions = {
  // Pages of nobody. A program that sends no Origin is not a browser, and no page can make one.
  allowedOrigins: [],
  // About 10 GB of memory of sockets and their subscriptions: what a large pod has.
  socketsMax: 1_000_000,
  // A socket's start (handshake, token, snapshot) takes about 0.2 ms: half a core is left for the others.
  upgradesPerSecond: 2_000,
  // Networks of phones put thousands of people behind one address; one program that loops is stopped.
  upgradesPerAddress: 200,
  // Clients give up a connect after some seconds; a turn later than this is better awaited elsewhere.
  upgradeWaitMsMax: 3_000,
};

export interface AdmissionParts {
  options: AdmissionOptions;
  clock: Clock;
  registry: Registry;
  /** Sockets open now. */
  open(): number;
}
export interface Admission {
  decide(request: UpgradeRequest): Promise<UpgradeAnswer>;
  originAllowed(origin: string): boolean;
  /** From now on everyone is sent elsewhere. */
  startDrain(): void;
}

const subprotocols: readonly Subprotocol[] = ['rankcast.msgpack', 'rankcast.json'];
/** So much of a second may come at once before the pace is felt: the loop is busy for as long. */
const burstMs = 100;

export function createAdmission({ options, clock, registry, open }: AdmissionParts): Admission {
  const { socketsMax, upgradesPerSecond, upgradesPerAddress, upgradeWaitMsMax } = options;
  const perAddress = new RateLimiterMemory({ points: upgradesPerAddress, duration: 1 });
  const upgrades = new Counter({
    name: 'rankcast_upgrades_total',
    help: 'Requests for a socket, by what became of them.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  new Gauge({
    name: 'rankcast_sockets_max',
    help: 'Sockets that this edge takes at most.',
    registers: [registry],
  }).set(socketsMax);
  const originAllowed = originTest(options.allowedOrigins);
  let draining = false;
  let nextTurnAt = 0;
  /** On their way in: not seen by `open` yet. */
  let pending = 0;

  function refuse(code: CodeName, message: string, retryAfterMs = 0): UpgradeAnswer {
    upgrades.inc({ outcome: code });
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (retryAfterMs > 0) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
    const body = JSON.stringify({ error: { code, message } });
    return { accept: false, status: codes[code].http, headers, body };
  }

  /** How long this upgrade waits for its turn; -1 if that would be too long. */
  function takeTurn(): number {
    const now = clock.now();
    const turnAt = Math.max(nextTurnAt, now - burstMs);
    const wait = Math.max(0, turnAt - now);
    if (wait > upgradeWaitMsMax) return -1;
    nextTurnAt = turnAt + 1_000 / upgradesPerSecond;
    return wait;
  }

  async function decide(request: UpgradeRequest): Promise<UpgradeAnswer> {
    if (draining) return refuse('moved', 'This edge is draining: connect again.', 1_000);
    const { origin } = request;
    if (origin !== null && !originAllowed(origin)) {
      return refuse('forbidden', `Pages of ${quote(origin)} may not connect: it is not an allowed origin.`);
    }
    const subprotocol = subprotocolOf(request.subprotocols);
    if (subprotocol === null) {
      const offered = request.subprotocols.map((name) => quote(name)).join(', ');
      const known = subprotocols.join(' and ');
      const what =
        offered === '' ? 'No subprotocol was offered' : `None of ${offered.slice(0, 200)} is known`;
      return refuse('upgrade_required', `${what}: the subprotocols are ${known}.`);
    }
    if (open() + pending >= socketsMax) {
      return refuse('overloaded', `This edge has ${socketsMax} sockets, as many as it may.`, 5_000);
    }
    pending += 1;
    try {
      return await letIn(request.address, subprotocol);
    } finally {
      pending -= 1;
    }
  }

  async function letIn(address: string, subprotocol: Subprotocol): Promise<UpgradeAnswer> {
    const group = addressGroup(address);
    try {
      await perAddress.consume(group);
    } catch {
      const message = `More than ${upgradesPerAddress} sockets in a second from ${group}.`;
      return refuse('rate_limited', message, 1_000);
    }
    const wait = takeTurn();
    if (wait < 0) {
      const message = `More than ${upgradesPerSecond} sockets in a second want to connect here.`;
      return refuse('overloaded', message, upgradeWaitMsMax);
    }
    if (wait > 0) await new Promise<void>((resolve) => clock.after(wait, resolve));
    upgrades.inc({ outcome: 'accepted' });
    return { accept: true, subprotocol };
  }

  return {
    decide,
    originAllowed,
    startDrain() {
      draining = true;
    },
  };
}

/** Exact origins, or `*` for all. */
export function originTest(allowed: readonly string[]): (origin: string) => boolean {
  if (allowed.includes('*')) return () => true;
  const known = new Set(allowed.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  return (origin) => known.has(origin.toLowerCase());
}

/** [PR-1]: the first of the client's list that is known. */
function subprotocolOf(offered: readonly string[]): Subprotocol | null {
  for (const name of offered) {
    const known = subprotocols.find((subprotocol) => subprotocol === name);
    if (known !== undefined) return known;
  }
  return null;
}
