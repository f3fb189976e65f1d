import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../channels/clock.ts';

/** A misdirected load balancer comes every few seconds, an attacker as often as they can. */
const linesPerMinuteMax = 10;

/** Counts connections that were closed before their first request, and says why, some of them in the log. */
export function createRefusals(parts: { clock: Clock; logger: Logger; registry: Registry }) {
  const { clock, logger, registry } = parts;
  const refusals = new Counter({
    name: 'rankcast_connections_refused_total',
    help: 'Connections from load balancers that did not begin with a PROXY protocol header that will do.',
    registers: [registry],
  });
  let minute = 0;
  let lines = 0;
  return (peer: string, why: string): void => {
    refusals.inc();
    const now = Math.floor(clock.now() / 60_000);
    if (now !== minute) lines = 0;
    minute = now;
    lines += 1;
    if (lines <= linesPerMinuteMax) logger.warn({ peer, why }, 'a connection was refused');
  };
}
