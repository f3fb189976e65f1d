import { after, before } from 'node:test';
import { openRealServers, type RealServers } from '../services/real-servers.ts';
import { Fleet, type FleetPlan } from './fleet.ts';

/** What the live journeys run: two of what may be many. */
export const fleetPlan: Omit<FleetPlan, 'servers'> = {
  edges: 2,
  rankers: 2,
  graphs: 1,
  followers: 2,
  flags: [
    ...['--tick-ms', '5', '--order-interval-ms', '0', '--requests-per-second', '1000000'],
    ...['--upgrades-per-address', '10000', '--checkpoint-interval-ms', '1000'],
  ],
};

/** A fleet on real servers for all tests of the calling file; answers what gives it, once it has started. */
export function fleetForTests(seed: number): () => Fleet {
  let servers: RealServers | undefined;
  let fleet: Fleet | undefined;
  before(async () => {
    process.stdout.write(`seed ${seed}\n`);
    servers = await openRealServers();
    fleet = new Fleet({ ...fleetPlan, servers: servers.environment });
    await fleet.start();
  });
  after(async () => {
    await fleet?.remove();
    await servers?.close();
  });
  return () => {
    if (fleet === undefined) throw new Error('the fleet has not started');
    return fleet;
  };
}
